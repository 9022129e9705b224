/**
 * A failure inside a stream as clients of this dialect expect it: an event of its own, whose
 * number follows that of the last one. Bodies of failed answers are OpenAI's usual ones.
 */
import type { Failure } from '../failure.ts';

/** A complete event; the SDKs throw on it. */
export function encodeErrorEvent(failure: Failure, sequence: number): Buffer {
  const event = {
    type: 'error',
    sequence_number: sequence,
    code: failure.upstreamCode ?? failure.code,
    message: failure.message,
    param: failure.field,
  };
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
}
