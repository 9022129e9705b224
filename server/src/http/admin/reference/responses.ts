/**
 * The endpoints of OpenAI's Responses dialect, for the reference: those that run models or count
 * for them, and those of kept responses.
 */
import { z } from 'zod';
import type { DocumentedRoute } from '../document.ts';
import { described } from './described.ts';

const conversation = {
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
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  text: z.looseObject({}).optional(),
  reasoning: z.looseObject({}).nullable().optional(),
};

const request = z.looseObject({
  ...conversation,
  store: z
    .boolean()
    .nullable()
    .optional()
    .describe('Keeps the response; on unless it is switched off.'),
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

const TAG = 'models (Responses dialect)';
const params = z.object({ id: z.string().describe('The id of a kept response of this tenant.') });

const itemList = z.looseObject({
  object: z.literal('list'),
  data: z.array(z.looseObject({ id: z.string(), type: z.string() })),
  first_id: z.string(),
  last_id: z.string(),
  has_more: z.boolean(),
});

const page = z.object({
  limit: z.int().min(1).max(100).optional().describe('20 where it is left out.'),
  order: z.enum(['asc', 'desc']).optional().describe('`desc` where it is left out.'),
  after: z.string().optional().describe('The id of the item behind which the page begins.'),
});

const kept = (method: 'GET' | 'DELETE', url: string, schema: object): DocumentedRoute => ({
  ...{ method, url },
  schema: { tags: [TAG], params, ...schema },
});

export const RESPONSES_REFERENCE: readonly DocumentedRoute[] = [
  ...described(TAG, errorBody, [
    { url: '/v1/responses', summary: 'Continue a conversation', body: request, answer },
    {
      url: '/v1/responses/input_tokens',
      summary: 'Count the tokens of a conversation without running it',
      body: z.looseObject(conversation),
      answer: z.looseObject({
        object: z.literal('response.input_tokens'),
        input_tokens: z.int(),
      }),
    },
  ]),
  kept('GET', '/v1/responses/:id', {
    summary: 'Read a kept response',
    response: { 200: answer, default: errorBody },
  }),
  kept('DELETE', '/v1/responses/:id', {
    summary: 'Delete a kept response',
    response: {
      200: z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) }),
      default: errorBody,
    },
  }),
  kept('GET', '/v1/responses/:id/input_items', {
    summary: 'List the items that were sent for a response',
    querystring: page,
    response: { 200: itemList, default: errorBody },
  }),
];
