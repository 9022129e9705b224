/**
 * Answers of providers with another wire, written as clients of the Responses API expect them.
 */
import type {
  AnswerCodec,
  InferenceRequest,
  StreamEncoder,
  StreamFrame,
} from '../../gateway/index.ts';
import { assert } from '../../kernel/assert.ts';
import { encodeAnswer } from '../../wire/responses/encode-answer.ts';
import {
  createStreamEncoder,
  type StreamEncoderOptions,
} from '../../wire/responses/encode-stream.ts';

export const responsesCodec: AnswerCodec = {
  dialect: 'responses',
  contentType: 'application/json',
  encodeAnswer: (request, body) =>
    Buffer.from(
      JSON.stringify(
        request.operation === 'count_tokens'
          ? { object: 'response.input_tokens', input_tokens: body.input_tokens }
          : encodeAnswer(body, optionsOf(request)),
      ),
    ),
  createStreamEncoder: streamEncoder,
};

function optionsOf({ foreign }: InferenceRequest): StreamEncoderOptions {
  assert(foreign?.thread !== undefined, 'requests of this dialect have a thread');
  const { answerId, createdAtMs } = foreign.thread;
  return { id: answerId, createdSeconds: Math.floor(createdAtMs / 1000), source: foreign.body };
}

function streamEncoder(request: InferenceRequest): StreamEncoder {
  const encoder = createStreamEncoder(optionsOf(request));
  return {
    encode(frame): StreamFrame {
      const events = encoder.encode(frame.chunks ?? []);
      if (frame.terminal === null) {
        return { ...frame, bytes: Buffer.from(events), sequence: encoder.sequence };
      }
      const { events: rest, last } = encoder.end();
      return {
        ...frame,
        bytes: Buffer.from(events + rest),
        sequence: encoder.sequence - 1,
        terminal: Buffer.from(last),
      };
    },
  };
}
