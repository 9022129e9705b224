/**
 * One call to one target: encode, send, read. Resolves with the whole of a plain answer, or
 * with a stream whose first piece has arrived, so that everything before it can be retried.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Answer } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Attempt, Exchange } from '../model/exchange.ts';
import type { AnswerCodecs } from '../ports/codec.ts';
import type { ProviderAdapter, ProviderCall, Providers } from '../ports/provider.ts';
import type { Upstream } from '../ports/upstream.ts';
import type { KeyRotation } from '../resilience/key-rotation.ts';
import type { GuardedCall } from '../resilience/policy-stack.ts';
import { mayFailOver } from '../resilience/reactions.ts';
import type { LatencyRecorder, TimedEnd } from '../routing/latency-book.ts';
import { inDialect, wireOf } from './in-dialect.ts';
import { openStream } from './open-stream.ts';
import { passedOn } from './passed-on.ts';

export interface AttemptContext {
  readonly exchange: Exchange;
  readonly providers: Providers;
  readonly codecs: AnswerCodecs;
  readonly keyRotation: KeyRotation;
  readonly clock: Clock;
  readonly latency: LatencyRecorder;
  /** Providers are told where a call stands in a trace. */
  readonly passesTrace: boolean;
}

const MAX_ANSWER_BYTES = 48 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
const OK_FROM = 200;
const OK_BELOW = 300;

/** The way a call goes: by which adapter and socket, with which key, and how long at most. */
interface Way {
  readonly adapter: ProviderAdapter;
  readonly upstream: Upstream;
  readonly key: string | null;
  readonly firstByteMs: number;
}

/** One attempt, with one key of the provider after the other where it refuses them. */
export function attempt(
  context: AttemptContext,
  call: GuardedCall,
  firstByteMs: number,
): Promise<Answer> {
  const { target, signal } = call;
  const provider = context.providers.get(target.provider);
  // Whoever waits over several reloads may have been routed to what is not there any more.
  if (provider === undefined) return Promise.reject(new GatewayError('no_target_available'));
  const { upstream, adapter, keys } = provider;
  if (keys === undefined) {
    return recorded(context, call, { upstream, adapter, key: null, firstByteMs });
  }
  return context.keyRotation.turn(keys, target, signal, (key) =>
    recorded(context, call, { upstream, adapter: key.adapter, key: key.name, firstByteMs }),
  );
}

async function recorded(context: AttemptContext, call: GuardedCall, way: Way): Promise<Answer> {
  const { exchange, clock } = context;
  const { target } = call;
  const startedMs = clock.monotonicMs();
  const spanId = exchange.trace?.newSpanId() ?? null;
  const record: Attempt = { target, startedMs, endedMs: null, key: way.key, spanId, error: null };
  exchange.attempts.push(record);
  const ended = context.latency.started(record, exchange.request.stream);
  exchange.provider = target.provider;
  exchange.providerModel = target.model;
  try {
    return await send(context, call, way, record);
  } catch (thrown) {
    record.error = asGatewayError(thrown);
    // What we cut ourselves, whatever for, the provider was working on.
    const mayCost = call.signal.aborted || mayHaveProduced(record.error);
    exchange.dispatched = exchange.dispatched && mayCost;
    throw thrown;
  } finally {
    const nowMs = clock.monotonicMs();
    record.endedMs = nowMs;
    exchange.upstreamMs += nowMs - startedMs;
    ended(endOf(record.error));
    const isFirstPiece = record.error === null && exchange.request.stream;
    if (isFirstPiece) exchange.firstTokenMs = nowMs - exchange.startedMs;
  }
}

/** What an attempt says of its target's speed. */
function endOf(error: GatewayError | null): TimedEnd {
  if (error === null) return 'answered';
  if (error.code === 'client_closed') return 'left';
  if (error.code === 'field_not_supported') return 'void';
  return mayFailOver(error) || error.code === 'deadline_exceeded' ? 'failed' : 'void';
}

async function send(
  context: AttemptContext,
  { target, signal }: GuardedCall,
  { adapter, upstream, firstByteMs }: Way,
  record: Attempt,
): Promise<Answer> {
  const call: ProviderCall = { request: context.exchange.request, target };
  const passes = call.request.dialect === wireOf(adapter, call.request);
  const beyond = passes ? [] : carry(call);
  const request = adapter.encode(call);
  context.exchange.dropped = [...beyond, ...(request.dropped ?? [])];
  const { connectMs, idleMs } = target.timeouts;
  context.exchange.dispatched = true;
  const told = passedOn(context.exchange, record, context.passesTrace, request);
  const response = await upstream.send(told, { connectMs, firstByteMs, idleMs }, signal);
  if (response.status < OK_FROM || response.status >= OK_BELOW) {
    const body = await response.body.collect(MAX_ERROR_BYTES);
    throw adapter.decodeError(response, body);
  }
  if (call.request.stream) {
    const answer = await openStream(context.clock, adapter, call, response);
    return inDialect(context.codecs, call.request, answer);
  }
  const bytes = await response.body.collect(MAX_ANSWER_BYTES);
  const answer = adapter.decodeAnswer(call, response, bytes);
  return inDialect(context.codecs, call.request, answer);
}

/** Fields that a target of another dialect is not told; throws for one that it would have to be. */
function carry({ request, target }: ProviderCall): readonly string[] {
  const [field] = request.foreign?.needed ?? [];
  if (field === undefined) return request.foreign?.dropped ?? [];
  throw new GatewayError('field_not_supported', {
    message: `The target ${target.id} cannot be told \`${field}\`: only its own dialect has it.`,
    field,
  });
}

/** A provider that refused or was never reached charges nothing; one cut off in its work may. */
function mayHaveProduced(error: GatewayError): boolean {
  if (error.neverSent) return false;
  switch (error.code) {
    case 'shutting_down':
    case 'upstream_timeout':
    case 'upstream_truncated':
    case 'upstream_too_long':
      return true;
    default:
      return false;
  }
}
