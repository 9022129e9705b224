/**
 * Answers of providers with another wire, written as Anthropic's clients expect them.
 */
import {
  type AnswerCodec,
  GatewayError,
  type InferenceRequest,
  type StreamEncoder,
  type Usage,
} from '../../gateway/index.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { encodeAnswer } from '../../wire/anthropic/encode-answer.ts';
import { createStreamEncoder, STOP_EVENT } from '../../wire/anthropic/encode-stream.ts';
import type { TokenCounts } from '../../wire/anthropic/usage.ts';

const BYTES_PER_TOKEN = 4;

export const anthropicCodec: AnswerCodec = {
  dialect: 'anthropic',
  contentType: 'application/json',
  encodeAnswer: (request, body) =>
    request.operation === 'count_tokens'
      ? encodeCount(body)
      : encodeAnswer(body, estimate(request, JSON.stringify(body.choices ?? []).length)),
  createStreamEncoder: streamEncoder,
};

function encodeCount({ input_tokens }: JsonObject): Buffer {
  return Buffer.from(JSON.stringify({ input_tokens }));
}

function streamEncoder(request: InferenceRequest): StreamEncoder {
  let characters = 0;
  let usage: Usage | null = null;
  const encoder = createStreamEncoder({
    estimate: () => (usage === null ? estimate(request, characters) : countsOf(usage)),
    fail: (message) => new GatewayError('upstream_invalid', { message }),
  });
  return {
    encode(frame) {
      characters += frame.producedCharacters;
      usage = frame.usage ?? usage;
      const events = encoder.encode(frame.chunks ?? []);
      if (frame.terminal === null) return { ...frame, bytes: Buffer.from(events) };
      const bytes = Buffer.from(events + encoder.end());
      return { ...frame, bytes, terminal: Buffer.from(STOP_EVENT) };
    },
  };
}

function countsOf(usage: Usage): TokenCounts {
  const { inputTokens, cachedInputTokens, cacheWriteTokens = 0 } = usage;
  return {
    uncached: inputTokens - cachedInputTokens - cacheWriteTokens,
    cacheRead: cachedInputTokens,
    cacheCreation: cacheWriteTokens,
    output: usage.outputTokens,
    thinking: usage.reasoningTokens,
  };
}

/** For providers that tell no usage; this dialect has no way to leave it out. */
function estimate(request: InferenceRequest, producedCharacters: number): TokenCounts {
  return {
    uncached: Math.ceil(request.bytes.length / BYTES_PER_TOKEN),
    cacheRead: 0,
    cacheCreation: 0,
    output: Math.ceil(producedCharacters / BYTES_PER_TOKEN),
    thinking: 0,
  };
}
