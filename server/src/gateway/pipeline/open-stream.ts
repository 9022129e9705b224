/**
 * A provider's body as the frames of a stream, from the first frame on: until it has come the
 * call can still be retried; once it has, the target is committed.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { StreamAnswer, StreamFrame } from '../model/answer.ts';
import { GatewayError } from '../model/errors.ts';
import type { ProviderAdapter, ProviderCall, StreamDecoder } from '../ports/provider.ts';
import type { UpstreamBody, UpstreamResponse } from '../ports/upstream.ts';
import { wireOf } from './in-dialect.ts';

/** How long the rest of a finished stream may take before its connection is given up. */
const REST_MS = 1000;

/** Resolves once the stream's first frame has arrived; throws what came instead of it. */
export async function openStream(
  clock: Clock,
  adapter: ProviderAdapter,
  call: ProviderCall,
  response: UpstreamResponse,
): Promise<StreamAnswer> {
  const { body } = response;
  try {
    const decoder = adapter.createStreamDecoder(call, response);
    const frames = decode(clock, decoder, body);
    const first = await frames.next();
    if (first.done === true) throw new GatewayError('upstream_truncated');
    if (first.value.failure !== undefined) throw first.value.failure;
    const all = withFirst(first.value, frames);
    return { kind: 'stream', dialect: wireOf(adapter, call.request), frames: all };
  } catch (thrown) {
    body.cancel();
    throw thrown;
  }
}

async function* withFirst(
  first: StreamFrame,
  rest: AsyncGenerator<StreamFrame>,
): AsyncGenerator<StreamFrame> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* decode(
  clock: Clock,
  decoder: StreamDecoder,
  body: UpstreamBody,
): AsyncGenerator<StreamFrame> {
  const chunks = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const chunk = await chunks.next();
      const frame = chunk.done === true ? decoder.end() : decoder.push(chunk.value);
      if (frame !== null) {
        ended = frame.terminal !== null;
        if (ended) void readRest(clock, chunks, body);
        yield frame;
        if (frame.failure !== undefined) throw frame.failure;
      }
      if (ended || chunk.done === true) return;
    }
  } finally {
    if (!ended) body.cancel();
  }
}

/** Lets a finished stream's connection come to its end, so that it can be used again. */
async function readRest(
  clock: Clock,
  chunks: AsyncIterator<Buffer>,
  body: UpstreamBody,
): Promise<void> {
  const timer = clock.setTimer(REST_MS, () => body.cancel());
  try {
    while ((await chunks.next()).done !== true);
  } catch {
    // The answer is complete; how its connection ends no longer matters.
  } finally {
    timer.cancel();
  }
}
