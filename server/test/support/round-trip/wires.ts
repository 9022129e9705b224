/**
 * Every wire with both of its ends: the provider's adapter, which writes requests and reads
 * answers, and what stands at the other end, which reads requests and writes answers. For the
 * dialects that is the gateway's own inbound side; for a wire that no client speaks it is the
 * scripted server's.
 */

import type {
  AnswerCodec,
  CanonicalChunk,
  InferenceRequest,
  StreamFrame,
} from '../../../src/gateway/index.ts';
import { NO_CACHE_CONTROL } from '../../../src/gateway/index.ts';
import type {
  EncodedRequest,
  ProviderAdapter,
  ProviderCall,
} from '../../../src/gateway/ports/provider.ts';
import { anthropicCodec } from '../../../src/http/anthropic/codec.ts';
import { messages } from '../../../src/http/anthropic/messages.ts';
import type { InferenceEndpoint } from '../../../src/http/endpoint.ts';
import { geminiCodec } from '../../../src/http/gemini/codec.ts';
import { geminiEndpoints } from '../../../src/http/gemini/endpoints.ts';
import { chatCompletions } from '../../../src/http/openai/chat-completions.ts';
import { openaiCodec } from '../../../src/http/openai/codec.ts';
import { parseBody } from '../../../src/http/parse-body.ts';
import { responsesCodec } from '../../../src/http/responses/codec.ts';
import { responses } from '../../../src/http/responses/endpoint.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { createAnthropicAdapter } from '../../../src/providers/anthropic/adapter.ts';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import { createOpenaiAdapter } from '../../../src/providers/openai/adapter.ts';
import { openaiConnection } from '../openai-connection.ts';
import { providerCall } from '../provider-call.ts';
import { decodeOllamaRequest } from '../scripted-ollama/decode-request.ts';
import {
  type Chunk,
  type Completion,
  createOllamaLines,
  encodeOllamaAnswer,
} from '../scripted-ollama/encode-answer.ts';
import type { Abilities } from './conversation.ts';
import { createResponsesClient } from './responses-client.ts';

export interface Wire {
  readonly name: string;
  /** Clients speak it. */
  readonly isDialect: boolean;
  readonly can: Abilities;
  readonly adapter: ProviderAdapter;
  /** Reads a request that the adapter wrote; canonical. */
  readRequest(encoded: EncodedRequest): InferenceRequest;
  writeAnswer(request: InferenceRequest, body: JsonObject): Buffer;
  writeStream(request: InferenceRequest, chunks: readonly CanonicalChunk[]): Buffer;
  readonly streamType: string;
}

const MAX_DEPTH = 64;
const NO_BYTES = Buffer.alloc(0);

const EVERYTHING: Abilities = {
  reasoning: ['text', 'signed'],
  answerReasoning: ['text', 'signed'],
  images: 'any',
  documents: true,
  failedTools: true,
  toolImages: true,
  toolChoice: true,
  jsonObject: true,
  stop: true,
  seed: true,
  topK: true,
  cacheMarkers: true,
  usageDetails: true,
  filtered: true,
  order: true,
  lines: true,
  streamLines: true,
};

const openai: Wire = {
  name: 'openai',
  isDialect: true,
  can: {
    ...EVERYTHING,
    reasoning: ['text'],
    answerReasoning: ['text'],
    failedTools: false,
    toolImages: false,
    topK: false,
    cacheMarkers: false,
  },
  adapter: createOpenaiAdapter(openaiConnection({ capabilities: { reasoningInput: true } })),
  readRequest: ({ body }) => inbound(chatCompletions, body),
  ...answersOf(openaiCodec),
  streamType: 'text/event-stream',
};

const anthropic: Wire = {
  name: 'anthropic',
  isDialect: true,
  can: { ...EVERYTHING, reasoning: ['signed'], jsonObject: false, seed: false },
  adapter: createAnthropicAdapter({
    baseUrl: '',
    apiKey: null,
    version: '2023-06-01',
    betas: [],
    headers: {},
    structuredOutput: 'native',
    reasoning: 'effort',
  }),
  readRequest: ({ body }) => inbound(messages, body),
  ...answersOf(anthropicCodec),
  streamType: 'text/event-stream',
};

const gemini: Wire = {
  name: 'gemini',
  isDialect: true,
  can: { ...EVERYTHING, cacheMarkers: false, lines: false, streamLines: false },
  adapter: createGeminiAdapter({ baseUrl: '', apiKey: null, headers: {} }),
  readRequest({ path, body }) {
    const [before = '', query = ''] = path.split('?');
    const endpoint = geminiEndpoints.find(before, query);
    if (endpoint === undefined) throw new Error(`no endpoint at ${path}`);
    return inbound(endpoint, body);
  },
  ...answersOf(geminiCodec),
  streamType: 'text/event-stream',
};

const ollama: Wire = {
  name: 'ollama',
  isDialect: false,
  can: {
    ...EVERYTHING,
    reasoning: ['text'],
    answerReasoning: ['text'],
    images: 'data',
    documents: false,
    failedTools: false,
    toolChoice: false,
    cacheMarkers: false,
    usageDetails: false,
    filtered: false,
    order: false,
    streamLines: false,
  },
  adapter: createOllamaAdapter({
    baseUrl: '',
    apiKey: null,
    headers: {},
    contextTokens: null,
    keepAlive: null,
  }),
  readRequest: ({ body }) => providerCall('chat', decodeOllamaRequest(String(body)), 'm').request,
  writeAnswer: (_request, body) => Buffer.from(encodeOllamaAnswer(body as unknown as Completion)),
  writeStream(_request, chunks) {
    const lines = createOllamaLines();
    const written = chunks.flatMap((chunk) => lines.take(chunk as unknown as Chunk));
    return Buffer.from(written.join('') + lines.end());
  },
  streamType: 'application/x-ndjson',
};

/** Clients speak it, and it is no wire of a provider's of its own. */
export const responsesWire: Wire = {
  name: 'responses',
  isDialect: true,
  can: {
    ...EVERYTHING,
    failedTools: false,
    stop: false,
    seed: false,
    topK: false,
    cacheMarkers: false,
  },
  adapter: createResponsesClient(),
  readRequest: ({ body }) => inbound(responses, body),
  ...answersOf(responsesCodec),
  streamType: 'text/event-stream',
};

export const WIRES: readonly Wire[] = [openai, anthropic, gemini, ollama];

export const CLIENTS: readonly Wire[] = [
  ...WIRES.filter(({ isDialect }) => isDialect),
  responsesWire,
];

const BIRTH = { id: 'req_1', createdAtMs: 0 };

function inbound(endpoint: InferenceEndpoint, body: Buffer | null): InferenceRequest {
  const parsed = parseBody(body ?? NO_BYTES, MAX_DEPTH);
  return endpoint.decode(parsed, NO_CACHE_CONTROL, { headers: {} }, BIRTH);
}

function answersOf(codec: AnswerCodec): Pick<Wire, 'writeAnswer' | 'writeStream'> {
  return {
    writeAnswer: (request, body) => codec.encodeAnswer(request, body),
    writeStream(request, chunks) {
      const encoder = codec.createStreamEncoder({ ...request, includeUsage: true });
      const frames = chunks.map((chunk, index) =>
        encoder.encode(frameOf(chunk, index === chunks.length - 1)),
      );
      return Buffer.concat(frames.flatMap(({ bytes, terminal }) => [bytes, terminal ?? NO_BYTES]));
    },
  };
}

function frameOf(chunk: CanonicalChunk, isLast: boolean): StreamFrame {
  return {
    bytes: NO_BYTES,
    terminal: isLast ? NO_BYTES : null,
    chunks: [chunk],
    producedCharacters: 0,
    usage: usageOf(chunk),
    finishReasons: [],
  };
}

function usageOf({ usage }: CanonicalChunk): StreamFrame['usage'] {
  if (usage == null) return null;
  return {
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.completion_tokens,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    source: 'provider',
  };
}

/** A call of an adapter by a client of another dialect than its own. */
export function foreignCall(adapter: ProviderAdapter, body: JsonObject): ProviderCall {
  const call = providerCall('chat', body, 'm');
  const dialect = adapter.dialect === 'openai' ? 'anthropic' : 'openai';
  return { ...call, request: { ...call.request, dialect } };
}
