/**
 * Limits counted in Redis for all processes: the twin of the store in memory. A request is
 * decided by one script in one step, on the server's clock.
 *
 * 1. A place among the concurrent ones is leased and renewed for as long as its request runs;
 *    the places of a process that died come back when their leases end.
 * 2. What a request gives back is told in the background, at once where somebody may miss it,
 *    else with the next question. It is not repeated when that fails: tokens drain within
 *    their minute, a place ends by its lease.
 *
 * Throws a `RedisFailure` where Redis does not decide; what happens then is the caller's.
 */
import type { LimitDecision, LimitScope, LimitStore } from '../../gateway/ports/limit-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { LinkedList } from '../../kernel/linked-list.ts';
import { asRedisFailure, mayBeDone } from './failure.ts';
import { createGathering, type Gathering } from './gathering.ts';
import { holdsPlace, type LeaseBook, Renewal, SharedLease } from './limit-lease.ts';
import {
  type LimitAnswer,
  type LimitPlace,
  type LimitQuestion,
  type LimitWord,
  limitPlace,
  sendLimits,
} from './limit-load.ts';
import { limitScript } from './limit-script.ts';
import { PlaceBook } from './place-book.ts';
import type { RedisStore } from './store.ts';

export interface RedisLimitStoreOptions {
  readonly redis: RedisStore;
  readonly clock: Clock;
  /** Unique among all processes; without a blank. */
  readonly name: string;
  /** How long a place outlives a process that died. */
  readonly leaseMs?: number;
  /** Replaces the server's clock; tests only. */
  readonly nowMs?: () => number;
}

export interface RedisLimitStore extends LimitStore {
  take(scopes: readonly LimitScope[], tokens: number, tenant: string): Promise<LimitDecision>;
  /** Renews the leases of what runs; happens by itself from time to time. */
  renew(): Promise<void>;
  /** Resolves when everything given back so far was sent and answered. */
  settled(): Promise<void>;
  close(): void;
}

const OPS = { ask: 'limits.take', tell: 'limits.amend' } as const;
const NOTHING_KEPT = { moreTokens: 0, leaseMs: 0 };
const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
/** What was learned of the limits longer ago may not be so any more. */
const FRESH_MS = 100;
const NOT_AT_ALL = Number.NEGATIVE_INFINITY;
/** Scopes whose keys are remembered. */
const PLACES_MOST = 100_000;

export function createRedisLimitStore(options: RedisLimitStoreOptions): RedisLimitStore {
  return new SharedCounters(options);
}

class SharedCounters implements RedisLimitStore, LeaseBook {
  readonly leaseMs: number;
  readonly #options: RedisLimitStoreOptions;
  /** Those that hold places; no more than requests in flight. */
  readonly #leases = new LinkedList<SharedLease>();
  readonly #places = new PlaceBook<LimitPlace>(PLACES_MOST, limitPlace);
  readonly #gathering: Gathering<LimitQuestion, LimitDecision, LimitWord>;
  #count = 0;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: RedisLimitStoreOptions) {
    const { redis, clock, nowMs = () => -1, leaseMs = LEASE_MS } = options;
    const script = limitScript();
    this.#options = options;
    this.leaseMs = leaseMs;
    this.#gathering = createGathering({
      ...{ redis, clock, ops: OPS },
      send: async (client, load) => {
        const { answers, heard } = await sendLimits(client, load, {
          ...{ script, leaseMs, nowMs: nowMs() },
        });
        return { answers: answers.map((answer) => this.#decided(answer)), heard };
      },
      unwanted: (decision) => {
        if (decision.kind !== 'granted') return;
        decision.lease.correctTokens(0);
        decision.lease.release();
      },
    });
    this.#renewLater();
  }

  take(scopes: readonly LimitScope[], tokens: number, tenant: string): Promise<LimitDecision> {
    this.#count += 1;
    const name = `${this.#options.name}.${this.#count}`;
    const places = scopes.map(({ id }) => this.#places.of(tenant, id));
    const question = { name, scopes, places, tokens, tenant };
    const asked = this.#gathering.ask(tenant, question);
    return holdsPlace(question) ? asked.catch((error) => this.#unanswered(question, error)) : asked;
  }

  async renew(): Promise<void> {
    for (const lease of this.#leases.toArray()) {
      this.#gathering.tell(lease.holder.tenant, new Renewal(lease), true);
    }
    await this.#gathering.flush();
  }

  settled(): Promise<void> {
    return this.#gathering.flush();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  told(lease: SharedLease): void {
    const isUrgent = this.#options.clock.monotonicMs() > lease.mayWaitUntilMs;
    this.#gathering.tell(lease.holder.tenant, lease, isUrgent);
  }

  #decided({ question, refusal, state, isTight }: LimitAnswer): LimitDecision {
    if (refusal !== null) return { kind: 'refused', ...refusal, state };
    const mayWaitUntilMs = isTight ? NOT_AT_ALL : this.#options.clock.monotonicMs() + FRESH_MS;
    const lease = new SharedLease(this, question, mayWaitUntilMs);
    if (lease.holdsPlace) lease.place = this.#leases.push(lease);
    return { kind: 'granted', lease, state };
  }

  /** It may have got its places all the same. */
  #unanswered(holder: LimitQuestion, error: unknown): never {
    const failure = asRedisFailure(OPS.ask, error);
    if (mayBeDone(failure)) {
      const nothing = () => undefined;
      const word = { holder, said: () => NOTHING_KEPT, heard: nothing, lost: nothing };
      this.#gathering.tell(holder.tenant, word, false);
    }
    throw failure;
  }

  #renewLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.leaseMs / RENEWALS_PER_LEASE, () => {
      void this.renew().finally(() => this.#renewLater());
    });
  }
}
