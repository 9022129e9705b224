/**
 * The endpoints of Gemini's dialect, for the reference. Each is served below both prefixes.
 */
import { z } from 'zod';
import { type Description, described } from './described.ts';

const PREFIXES = ['/v1beta', '/v1'] as const;

const params = z.object({
  model: z
    .string()
    .describe('An alias of the configuration, or `provider/model`; its slash may be written %2F.'),
});

const content = z.looseObject({
  role: z.string().optional(),
  parts: z.array(z.looseObject({ text: z.string().optional() })),
});

const generate = z.looseObject({
  contents: z.array(content).min(1),
  systemInstruction: content.optional(),
  generationConfig: z
    .looseObject({
      temperature: z.number().optional(),
      topP: z.number().optional(),
      maxOutputTokens: z.int().positive().optional(),
      stopSequences: z.array(z.string()).optional(),
    })
    .optional(),
  tools: z.array(z.looseObject({})).optional(),
});

const answer = z.looseObject({
  candidates: z.array(
    z.looseObject({ content: content.optional(), finishReason: z.string().optional() }),
  ),
  usageMetadata: z.looseObject({ promptTokenCount: z.int().optional() }).optional(),
  modelVersion: z.string().optional(),
});

const embed = z.looseObject({ content, outputDimensionality: z.int().positive().optional() });
const vector = z.looseObject({ values: z.array(z.number()) });

const errorBody = z.object({
  error: z.looseObject({ code: z.int(), message: z.string(), status: z.string() }),
});

interface Verb extends Omit<Description, 'url' | 'params'> {
  readonly verb: string;
}

const VERBS: readonly Verb[] = [
  { verb: 'generateContent', summary: 'Answer a conversation', body: generate, answer },
  {
    verb: 'streamGenerateContent',
    summary: 'Answer a conversation piece by piece; as server-sent events with `?alt=sse`',
    body: generate,
    answer,
  },
  {
    verb: 'countTokens',
    summary: 'Count the tokens of a conversation without running it',
    body: z.looseObject({ contents: z.array(content).optional() }),
    answer: z.looseObject({ totalTokens: z.int() }),
  },
  {
    verb: 'embedContent',
    summary: 'Turn a text into a vector',
    body: embed,
    answer: z.looseObject({ embedding: vector }),
  },
  {
    verb: 'batchEmbedContents',
    summary: 'Turn texts into vectors',
    body: z.looseObject({ requests: z.array(embed).min(1) }),
    answer: z.looseObject({ embeddings: z.array(vector) }),
  },
];

export const GEMINI_REFERENCE = described(
  'models (Gemini dialect)',
  errorBody,
  PREFIXES.flatMap((prefix) =>
    VERBS.map(({ verb, ...rest }) => ({
      // The pattern keeps the router from taking the verb for a second parameter.
      url: `${prefix}/models/:model(^[^:]+)::${verb}`,
      params,
      ...rest,
    })),
  ),
);
