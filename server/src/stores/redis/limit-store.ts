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
import type { LimitLease } from '../../gateway/model/holds.ts';
import type { LimitDecision, LimitScope, LimitStore } from '../../gateway/ports/limit-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { LinkedList, type ListNode } from '../../kernel/linked-list.ts';
import { createGathering, type Gathering } from './gathering.ts';
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

class SharedCounters implements RedisLimitStore {
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
      ...{ redis, clock, ops: { ask: 'limits.take', tell: 'limits.amend' } },
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
    return this.#gathering.ask(tenant, { name, scopes, places, tokens, tenant });
  }

  async renew(): Promise<void> {
    const said = { moreTokens: 0, leaseMs: this.leaseMs };
    for (const { holder } of this.#leases.toArray()) {
      const word = { holder, said: () => said, heard: () => undefined, lost: () => undefined };
      this.#gathering.tell(holder.tenant, word, true);
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

  /** The lease has something to say. */
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

  #renewLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.leaseMs / RENEWALS_PER_LEASE, () => {
      void this.renew().finally(() => this.#renewLater());
    });
  }
}

class SharedLease implements LimitLease, LimitWord {
  readonly holder: LimitQuestion;
  readonly holdsPlace: boolean;
  /** On the monotonic clock: until then nobody misses what it gives back. */
  readonly mayWaitUntilMs: number;
  /** Among those that are renewed. */
  place: ListNode<SharedLease> | null = null;
  readonly #store: SharedCounters;
  #countedTokens: number;
  #actualTokens: number;
  #isReleased = false;
  #isWaiting = false;

  constructor(store: SharedCounters, holder: LimitQuestion, mayWaitUntilMs: number) {
    this.#store = store;
    this.holder = holder;
    this.mayWaitUntilMs = mayWaitUntilMs;
    this.holdsPlace = holder.scopes.some(({ limits }) => limits.concurrency !== undefined);
    this.#countedTokens = holder.tokens;
    this.#actualTokens = holder.tokens;
  }

  correctTokens(actualTokens: number): void {
    this.#actualTokens = actualTokens;
    this.#tell();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.place?.remove();
    this.#tell();
  }

  /** What was not told yet; it counts as told now. */
  said() {
    this.#isWaiting = false;
    const moreTokens = this.#actualTokens - this.#countedTokens;
    this.#countedTokens = this.#actualTokens;
    if (moreTokens === 0 && !(this.#isReleased && this.holdsPlace)) return null;
    return { moreTokens, leaseMs: this.#isReleased ? 0 : this.#store.leaseMs };
  }

  heard(): void {
    // It needs no answer.
  }

  lost(): void {
    // It heals by itself.
  }

  #tell(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#store.told(this);
  }
}
