/**
 * How a client's dialect says what the canonical form holds. Used only where the provider that
 * answered speaks another wire; otherwise the provider's own bytes go out.
 */

import type { JsonObject } from '../../kernel/json.ts';
import type { StreamFrame } from '../model/answer.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Dialect } from '../model/target.ts';

export interface AnswerCodec {
  readonly dialect: Dialect;
  /** Content type of complete answers. */
  readonly contentType: string;
  /** The bytes of a complete canonical answer to this request. */
  encodeAnswer(request: InferenceRequest, body: JsonObject): Buffer;
  /** Keeps the state of one stream. */
  createStreamEncoder(request: InferenceRequest): StreamEncoder;
}

export type AnswerCodecs = Readonly<Partial<Record<Dialect, AnswerCodec>>>;

export interface StreamEncoder {
  /** The same frame with `bytes` and `terminal` of the dialect, made of its `chunks`. */
  encode(frame: StreamFrame): StreamFrame;
}
