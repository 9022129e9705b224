/**
 * The endpoint of OpenAI's Responses dialect that runs models, for the reference.
 */
import { z } from 'zod';
import { described } from './described.ts';

const request = z.looseObject({
  model: z.string().describe('An alias of the configuration, or `provider/model`.'),
  input: z
    .union([z.string(), z.array(z.looseObject({}))])
    .optional()
    .describe('A text, or items of a conversation.'),
  instructions: z.string().nullable().optional(),
  previous_response_id: z
    .string()
    .nullable()
    .optional()
    .describe('A kept response that the conversation goes on from.'),
  store: z
    .boolean()
    .nullable()
    .optional()
    .describe('Keeps the response; on unless it is switched off.'),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  text: z.looseObject({}).optional(),
  reasoning: z.looseObject({}).nullable().optional(),
  max_output_tokens: z.int().positive().nullable().optional(),
  temperature: z.number().nullable().optional(),
  top_p: z.number().nullable().optional(),
  stream: z.boolean().nullable().optional().describe('Answer with server-sent events.'),
});

const answer = z.looseObject({
  id: z.string(),
  object: z.literal('response'),
  status: z.enum(['completed', 'incomplete', 'failed', 'in_progress']),
  model: z.string(),
  output: z.array(z.looseObject({ type: z.string() })),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }).optional(),
});

const errorBody = z.object({
  error: z.looseObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

export const RESPONSES_REFERENCE = described('models (Responses dialect)', errorBody, [
  { url: '/v1/responses', summary: 'Continue a conversation', body: request, answer },
]);
