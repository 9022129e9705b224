/**
 * Answers of providers with another wire, written as OpenAI's clients expect them.
 */
import type {
  AnswerCodec,
  CanonicalChunk,
  InferenceRequest,
  StreamEncoder,
} from '../../gateway/index.ts';
import { DONE_EVENT, encodeBody, encodeChunk } from '../../wire/openai/encode-answer.ts';

export const openaiCodec: AnswerCodec = {
  dialect: 'openai',
  contentType: 'application/json',
  encodeAnswer: (_request, body) => encodeBody(body),
  createStreamEncoder: streamEncoder,
};

function streamEncoder(request: InferenceRequest): StreamEncoder {
  const isWanted = (chunk: CanonicalChunk): boolean =>
    chunk.choices.length > 0 || request.includeUsage;
  return {
    encode(frame) {
      const events = (frame.chunks ?? []).filter(isWanted).map(encodeChunk);
      return {
        ...frame,
        bytes: Buffer.from(events.join('')),
        terminal: frame.terminal === null ? null : DONE_EVENT,
      };
    },
  };
}
