/**
 * The replay stage: a request with an `Idempotency-Key` runs once. The same request again gets
 * the answer that was kept, or waits for the one that runs; another request under the same key
 * is refused. It costs nothing to be answered here, and is a ledger row of its own.
 *
 * 1. An answer is kept when it is complete, before its end leaves; failures are not kept.
 * 2. A key belongs to its principal. It is no part of the response cache, and cache controls
 *    do not concern it.
 * 3. What is too large is answered and not kept: the same request then runs again.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Answer, StreamAnswer, StreamFrame } from '../model/answer.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { ReplayClaim, ReplayStore } from '../ports/replay-store.ts';
import { againFrom, keptPlain, keptStream } from '../replay/kept-answer.ts';
import type { ReplaySeal, ReplaySeals } from '../replay/seal.ts';
import type { Handler, Stage } from './stage.ts';

export interface ReplayDeps {
  readonly store: ReplayStore;
  readonly seals: ReplaySeals;
  readonly clock: Clock;
  readonly settings: () => ReplaySettings;
}

export interface ReplaySettings {
  readonly enabled: boolean;
  readonly maxEntryBytes: number;
  /** How long a request waits for the same one that runs. */
  readonly joinMs: number;
}

const IN_FLIGHT_RETRY_MS = 2000;

export function replay(deps: ReplayDeps): Stage {
  return {
    name: 'replay',
    codes: ['idempotency_key_reused', 'idempotency_in_flight'],
    wrap: (next) => (exchange) => {
      const { idempotencyKey, principal, malformed } = exchange;
      const isAsked = idempotencyKey !== null && principal !== null && malformed === null;
      if (!isAsked || !deps.settings().enabled) return next(exchange);
      return once(deps, exchange, deps.seals.sealOf(principal, idempotencyKey), next);
    },
  };
}

async function once(
  deps: ReplayDeps,
  exchange: Exchange,
  seal: ReplaySeal,
  next: Handler,
): Promise<Answer> {
  const { store, seals, clock } = deps;
  const fingerprint = seals.fingerprintOf(exchange.request);
  const endMs = clock.monotonicMs() + deps.settings().joinMs;
  for (let waited = false; ; waited = true) {
    const found = await store.claim(seal.place, fingerprint, waited).catch((error) => {
      throw waited ? inFlight() : error;
    });
    if (found.kind === 'claimed') return run(deps, exchange, seal, found.claim, next);
    if (found.fingerprint !== fingerprint) {
      throw new GatewayError('idempotency_key_reused', { field: 'idempotency-key' });
    }
    const again = found.kind === 'kept' ? seal.open(found.answer) : null;
    if (again !== null) return repeated(exchange, again);
    if (found.kind === 'kept' || clock.monotonicMs() >= endMs) {
      throw inFlight();
    }
    await store.ended(seal.place, exchange.abort.signal);
  }
}

function inFlight(): GatewayError {
  return new GatewayError('idempotency_in_flight', { retryAfterMs: IN_FLIGHT_RETRY_MS });
}

function repeated(exchange: Exchange, bytes: Buffer): Answer {
  const { answer, provider, providerModel, dropped } = againFrom(bytes);
  exchange.replayed = true;
  exchange.provider = provider;
  exchange.providerModel = providerModel;
  exchange.dropped = dropped;
  return answer;
}

async function run(
  deps: ReplayDeps,
  exchange: Exchange,
  seal: ReplaySeal,
  claim: ReplayClaim,
  next: Handler,
): Promise<Answer> {
  const { maxEntryBytes } = deps.settings();
  let answer: Answer;
  try {
    answer = await next(exchange);
  } catch (thrown) {
    claim.release();
    throw thrown;
  }
  if (answer.kind === 'stream') {
    return { ...answer, frames: recorded(exchange, answer, seal, claim, maxEntryBytes) };
  }
  if (answer.bytes.length > maxEntryBytes) claim.release();
  else await claim.keep(seal.close(keptPlain(exchange, answer)));
  return answer;
}

/** Passes the frames on; a sequence that does not reach its end frees the key. */
async function* recorded(
  exchange: Exchange,
  { dialect, frames }: StreamAnswer,
  seal: ReplaySeal,
  claim: ReplayClaim,
  maxBytes: number,
): AsyncGenerator<StreamFrame> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const frame of frames) {
      // An answer with a hole is not kept.
      bytes = frame.unread === true ? Number.POSITIVE_INFINITY : bytes + frame.bytes.length;
      if (bytes <= maxBytes) pieces.push(frame.bytes);
      else pieces = [];
      if (frame.terminal !== null && frame.failure === undefined && bytes <= maxBytes) {
        const last = { terminal: frame.terminal, finishReasons: frame.finishReasons };
        await claim.keep(seal.close(keptStream(exchange, dialect, pieces, last)));
      }
      yield frame;
    }
  } finally {
    claim.release();
  }
}
