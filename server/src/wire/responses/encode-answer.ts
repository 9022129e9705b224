/**
 * A canonical answer as a complete response: the one that a stream of the same answer would end
 * with, so that both ways say the same.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { listOf, objectOf } from '../values.ts';
import { createStreamEncoder, type StreamEncoderOptions } from './encode-stream.ts';

export function encodeAnswer(body: JsonObject, options: StreamEncoderOptions): JsonObject {
  const encoder = createStreamEncoder(options);
  const choice = objectOf(listOf(body.choices)[0]);
  const { message, finish_reason } = choice;
  const said = objectOf(message);
  const calls = listOf(said.tool_calls).map((call, index) => ({ ...objectOf(call), index }));
  const delta = { ...said, tool_calls: calls };
  encoder.encode([{ ...body, choices: [{ index: 0, delta, finish_reason }] }]);
  return encoder.end().response;
}
