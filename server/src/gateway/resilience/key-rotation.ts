/**
 * Several keys of one provider: spreads calls over them, and goes on with the next one at once
 * where the provider refuses a key or its quota is used up.
 *
 * Invariants: an attempt tries each key at most once, and a key that rests only when all do,
 * and then only the one whose rest ends first; so a lone bad key is called as often as if it
 * stood alone. A rate limit is that of a key and a model, anything else the key's. Only what
 * concerns a key leads to the next one. Keys are known by their place, never by their text.
 */

import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Clock } from '../../kernel/clock.ts';
import { asGatewayError, type ErrorCode, type GatewayError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import type { ProviderKey } from '../ports/provider.ts';
import { isTransient, restMs } from './reactions.ts';

export type KeyRefusal = 'credentials' | 'quota' | 'rate_limit';

/** Told synchronously; must neither throw nor wait. */
export interface KeyListener {
  /** A key was refused. `began`: it did not rest before. */
  refused(provider: string, key: string, reason: KeyRefusal, restMs: number, began: boolean): void;
}

export interface KeyRotation {
  /**
   * Makes the attempt with one key after the other until one is not refused; throws the signal's
   * reason, or the refusal that is over first.
   */
  turn<T>(
    keys: readonly ProviderKey[],
    target: Target,
    signal: AbortSignal,
    attempt: (key: ProviderKey) => Promise<T>,
  ): Promise<T>;
  /** Whether a key rests for this target now, without side effects. */
  rests(key: ProviderKey, target: Target): boolean;
}

const REFUSALS: Readonly<Partial<Record<ErrorCode, KeyRefusal>>> = {
  upstream_credentials: 'credentials',
  upstream_quota_exhausted: 'quota',
  upstream_rate_limited: 'rate_limit',
};

/** Until somebody has mended the key or the account, calls with it are in vain. */
const CREDENTIALS_REST_MS = 600_000;
const QUOTA_REST_MS = 300_000;
const LONGEST_REST_MS = 24 * 3_600_000;

const MAX_RESTS = 4096;
const MAX_PROVIDERS = 1024;

interface Rest {
  untilMs: number;
}

export function createKeyRotation(clock: Clock, listener: KeyListener): KeyRotation {
  const turns = createBoundedMap<{ next: number }>(MAX_PROVIDERS, () => false);
  const rests = createBoundedMap<Rest>(MAX_RESTS, (one) => one.untilMs <= clock.monotonicMs());

  function untilMs({ id }: ProviderKey, target: Target): number {
    const ofKey = rests.get(id)?.untilMs ?? 0;
    return Math.max(ofKey, rests.get(`${id} ${target.model}`)?.untilMs ?? 0);
  }

  /** The keys to try: from the next in turn those that do not rest, else the soonest. */
  function order(keys: readonly ProviderKey[], target: Target): readonly ProviderKey[] {
    const nowMs = clock.monotonicMs();
    const turn = turns.get(target.provider) ?? turns.add(target.provider, { next: 0 });
    const first = turn.next % keys.length;
    turn.next = first + 1;
    const inTurn = [...keys.slice(first), ...keys.slice(0, first)];
    const awake = inTurn.filter((key) => untilMs(key, target) <= nowMs);
    if (awake.length > 0) return awake;
    return inTurn.toSorted((a, b) => untilMs(a, target) - untilMs(b, target)).slice(0, 1);
  }

  function rest(key: ProviderKey, target: Target, reason: KeyRefusal, error: GatewayError): void {
    const nowMs = clock.monotonicMs();
    const began = untilMs(key, target) <= nowMs;
    const forMs = Math.min(LONGEST_REST_MS, restAfter(reason, error));
    const name = reason === 'rate_limit' ? `${key.id} ${target.model}` : key.id;
    const entry = rests.get(name) ?? rests.add(name, { untilMs: 0 });
    entry.untilMs = Math.max(entry.untilMs, nowMs + forMs);
    listener.refused(target.provider, key.name, reason, forMs, began);
  }

  return {
    rests: (key, target) => untilMs(key, target) > clock.monotonicMs(),
    async turn(keys, target, signal, attempt) {
      let refusal: GatewayError | null = null;
      for (const key of order(keys, target)) {
        try {
          return await attempt(key);
        } catch (thrown) {
          if (signal.aborted) throw thrown;
          const error = asGatewayError(thrown);
          const reason = REFUSALS[error.code];
          if (reason === undefined) throw thrown;
          rest(key, target, reason, error);
          refusal = refusal === null ? error : sooner(refusal, error);
        }
      }
      throw refusal;
    },
  };
}

function restAfter(reason: KeyRefusal, error: GatewayError): number {
  if (reason === 'credentials') return Math.max(CREDENTIALS_REST_MS, error.retryAfterMs ?? 0);
  return restMs(error) ?? QUOTA_REST_MS;
}

/** Of two refusals the one that will be over first: a limit passes, a bad key stays bad. */
function sooner(one: GatewayError, other: GatewayError): GatewayError {
  if (isTransient(one) !== isTransient(other)) return isTransient(one) ? one : other;
  return (other.retryAfterMs ?? 0) < (one.retryAfterMs ?? 0) ? other : one;
}
