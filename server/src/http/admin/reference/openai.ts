/**
 * The endpoints of OpenAI's dialect, for the reference.
 */
import { z } from 'zod';
import { described } from './described.ts';

const model = z.string().describe('An alias of the configuration, or `provider/model`.');
const stream = z.boolean().optional().describe('Answer with server-sent events.');
const streamOptions = z.looseObject({ include_usage: z.boolean().optional() }).optional();
const sampling = {
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  n: z.int().positive().optional(),
};

const usage = z
  .looseObject({
    prompt_tokens: z.int(),
    completion_tokens: z.int().optional(),
    total_tokens: z.int(),
  })
  .optional();

const errorBody = z.object({
  error: z.looseObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

const chat = z.looseObject({
  model,
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).min(1),
  max_completion_tokens: z.int().positive().optional(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  response_format: z.looseObject({ type: z.string() }).optional(),
  ...sampling,
  stream,
  stream_options: streamOptions,
});

const completion = z.looseObject({
  model,
  prompt: z.union([z.string(), z.array(z.string())]),
  max_tokens: z.int().positive().optional(),
  ...sampling,
  stream,
  stream_options: streamOptions,
});

const embedding = z.looseObject({
  model,
  input: z.union([z.string(), z.array(z.string())]),
  dimensions: z.int().positive().optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
});

const choices = z.looseObject({
  id: z.string(),
  object: z.string(),
  created: z.int(),
  model: z.string(),
  choices: z.array(z.looseObject({ index: z.int(), finish_reason: z.string().nullable() })),
  usage,
});

const vectors = z.looseObject({
  object: z.string(),
  data: z.array(z.looseObject({ index: z.int(), embedding: z.unknown() })),
  model: z.string(),
  usage,
});

export const OPENAI_REFERENCE = described('models (OpenAI dialect)', errorBody, [
  {
    url: '/v1/chat/completions',
    summary: 'Answer a conversation',
    body: chat,
    answer: choices,
  },
  { url: '/v1/completions', summary: 'Continue a text', body: completion, answer: choices },
  {
    url: '/v1/embeddings',
    summary: 'Turn texts into vectors',
    body: embedding,
    answer: vectors,
  },
]);
