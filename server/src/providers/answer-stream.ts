/**
 * What every provider's stream has in common: its bounds, the coded errors for what any wire can
 * do wrong, and the core's types, which the wires do not know.
 */
import type { StreamFrame } from '../gateway/model/answer.ts';
import { GatewayError } from '../gateway/model/errors.ts';
import type { StreamDecoder } from '../gateway/ports/provider.ts';
import type { ByteProblem, FrameDecoder, StreamProblem } from '../wire/decoded.ts';
import { invalid } from './answer-head.ts';

/** All pieces of one stream together, however long the provider goes on. */
export const MAX_STREAM_BYTES = 256 * 1024 * 1024;

/** How a stream fails: by an error that it tells of, which `named` reads, or by its bytes. */
export function failWith<NamedError>(
  named: (error: NamedError, secrets: readonly string[]) => GatewayError,
  secrets: readonly string[],
): (problem: StreamProblem<NamedError>) => GatewayError {
  return (problem) =>
    problem.kind === 'error_event' ? named(problem.error, secrets) : streamError(problem);
}

export function streamError({ kind, message }: ByteProblem): GatewayError {
  switch (kind) {
    case 'garbled':
      return invalid(message);
    case 'too_long':
      return new GatewayError('upstream_too_long', { message });
    case 'truncated':
      return new GatewayError('upstream_truncated', { message });
  }
}

type WireFrame = Omit<StreamFrame, 'chunks' | 'failure'> & {
  readonly chunks?: readonly object[];
  readonly failure?: Error;
};

/** A wire's chunks are canonical ones, and its failures those that `fail` makes. */
export function asStreamDecoder(decoder: FrameDecoder<WireFrame>): StreamDecoder {
  return decoder as StreamDecoder;
}
