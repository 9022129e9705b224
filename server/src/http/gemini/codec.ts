/**
 * Answers of providers with another wire, written as Gemini's clients expect them.
 */
import type { AnswerCodec, InferenceRequest, StreamEncoder } from '../../gateway/index.ts';
import { isJsonArray, type JsonObject } from '../../kernel/json.ts';
import { encodeBatchEmbedAnswer, encodeEmbedAnswer } from '../../wire/gemini/embedding.ts';
import { encodeAnswer, encodeTokenCount } from '../../wire/gemini/encode/answer.ts';
import { createStreamEncoder } from '../../wire/gemini/encode/stream.ts';

export const geminiCodec: AnswerCodec = {
  dialect: 'gemini',
  contentType: 'application/json; charset=utf-8',
  encodeAnswer: encode,
  createStreamEncoder: streamEncoder,
};

function encode(request: InferenceRequest, body: JsonObject): Buffer {
  switch (request.operation) {
    case 'count_tokens':
      return encodeTokenCount(body);
    case 'embedding':
      return Buffer.from(JSON.stringify(embeddingAnswer(request, body)));
    default:
      return encodeAnswer(body);
  }
}

/** One content was asked for by one call, and many by another. */
function embeddingAnswer({ body: { input } }: InferenceRequest, body: JsonObject): JsonObject {
  return isJsonArray(input) ? encodeBatchEmbedAnswer(body) : encodeEmbedAnswer(body);
}

function streamEncoder(request: InferenceRequest): StreamEncoder {
  const encoder = createStreamEncoder(request.foreign?.framing ?? 'events');
  return {
    encode(frame) {
      const chunks = (frame.chunks ?? []) as unknown as readonly JsonObject[];
      const isLast = frame.terminal !== null;
      return { ...frame, ...encoder.encode({ chunks, usage: frame.usage, isLast }) };
    },
  };
}
