/**
 * One call to one target: encode, send, read. Resolves with the whole of a plain answer, or
 * with a stream whose first piece has arrived, so that everything before it can be retried.
 */
import { assert } from '../../kernel/assert.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Answer, StreamFrame } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Attempt, Exchange } from '../model/exchange.ts';
import type { Target } from '../model/target.ts';
import type { Provider, ProviderCall, Providers, StreamDecoder } from '../ports/provider.ts';
import type { UpstreamBody, UpstreamResponse } from '../ports/upstream.ts';

export interface AttemptContext {
  readonly exchange: Exchange;
  readonly providers: Providers;
  readonly clock: Clock;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
/** How long the rest of a finished stream may take before its connection is given up. */
const REST_MS = 1000;
const OK_FROM = 200;
const OK_BELOW = 300;

export async function attempt(
  context: AttemptContext,
  target: Target,
  signal: AbortSignal,
): Promise<Answer> {
  const { exchange, clock } = context;
  const startedMs = clock.monotonicMs();
  const record: Attempt = { target, startedMs, error: null };
  exchange.attempts.push(record);
  exchange.provider = target.provider;
  exchange.providerModel = target.model;
  try {
    return await send(context, target, signal);
  } catch (thrown) {
    record.error = asGatewayError(thrown);
    exchange.dispatched = exchange.dispatched && mayHaveProduced(record.error);
    throw thrown;
  } finally {
    const nowMs = clock.monotonicMs();
    exchange.upstreamMs += nowMs - startedMs;
    const isFirstPiece = record.error === null && exchange.request.stream;
    if (isFirstPiece) exchange.firstTokenMs = nowMs - exchange.startedMs;
  }
}

async function send(context: AttemptContext, target: Target, signal: AbortSignal): Promise<Answer> {
  const provider = context.providers.get(target.provider);
  assert(provider !== undefined, `target ${target.id} has a provider`);
  const call: ProviderCall = { request: context.exchange.request, target };
  const request = provider.adapter.encode(call);
  const { firstTokenMs, totalMs, idleMs } = target.timeouts;
  // A plain answer's first byte comes when the answer is complete: only the total bounds it.
  const firstByteMs = call.request.stream ? firstTokenMs : totalMs;
  context.exchange.dispatched = true;
  const response = await provider.upstream.send(request, { firstByteMs, idleMs }, signal);
  if (response.status < OK_FROM || response.status >= OK_BELOW) {
    const body = await response.body.collect(MAX_ERROR_BYTES);
    throw provider.adapter.decodeError(response, body);
  }
  if (call.request.stream) return openStream(context, provider, call, response);
  const bytes = await response.body.collect(MAX_ANSWER_BYTES);
  return provider.adapter.decodeAnswer(call, response, bytes);
}

async function openStream(
  context: AttemptContext,
  provider: Provider,
  call: ProviderCall,
  response: UpstreamResponse,
): Promise<Answer> {
  const { body } = response;
  try {
    const decoder = provider.adapter.createStreamDecoder(call, response);
    const frames = decode(context, decoder, body);
    const first = await frames.next();
    if (first.done === true) throw new GatewayError('upstream_truncated');
    const all = withFirst(first.value, frames);
    return { kind: 'stream', dialect: provider.adapter.dialect, frames: all };
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
  context: AttemptContext,
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
        if (ended) void readRest(context, chunks, body);
        yield frame;
      }
      if (ended || chunk.done === true) return;
    }
  } finally {
    if (!ended) body.cancel();
  }
}

/** Lets a finished stream's connection come to its end, so that it can be used again. */
async function readRest(
  { clock }: AttemptContext,
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

/** A provider that refused or was never reached charges nothing; one cut off in its work may. */
function mayHaveProduced(error: GatewayError): boolean {
  switch (error.code) {
    case 'client_closed':
    case 'deadline_exceeded':
    case 'upstream_timeout':
    case 'upstream_truncated':
    case 'upstream_too_long':
      return true;
    default:
      return false;
  }
}
