/**
 * The endpoints of Anthropic's dialect, for the reference.
 */
import { z } from 'zod';
import { described } from './described.ts';

const conversation = {
  model: z.string().describe('An alias of the configuration, or `provider/model`.'),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
  system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  tool_choice: z.looseObject({ type: z.string() }).optional(),
  thinking: z.looseObject({ type: z.string() }).optional(),
};

const message = z.looseObject({
  ...conversation,
  max_tokens: z.int().positive(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional().describe('Answer with server-sent events.'),
});

const answer = z.looseObject({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string().nullable(),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
});

const errorBody = z.object({
  type: z.literal('error'),
  error: z.looseObject({ type: z.string(), message: z.string() }),
  request_id: z.string().nullable().optional(),
});

export const ANTHROPIC_REFERENCE = described('models (Anthropic dialect)', errorBody, [
  { url: '/v1/messages', summary: 'Answer a conversation', body: message, answer },
  {
    url: '/v1/messages/count_tokens',
    summary: 'Count the tokens of a conversation without running it',
    body: z.looseObject(conversation),
    answer: z.looseObject({ input_tokens: z.int() }),
  },
]);
