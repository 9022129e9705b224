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
import { createGathering, type Gathering } from './gathering.ts';
import {
  type LimitAnswer,
  type LimitHolder,
  type LimitQuestion,
  type LimitWord,
  sendLimits,
} from './limit-load.ts';
import { limitScript } from './limit-script.ts';
import type { RedisStore } from './store.ts';

export interface RedisLimitStoreOptions {
  readonly redis: RedisStore;
  readonly clock: Clock;
  /** Unique among all leases of all processes. */
  readonly nextLease: () => string;
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

export function createRedisLimitStore(options: RedisLimitStoreOptions): RedisLimitStore {
  return new SharedCounters(options);
}

class SharedCounters implements RedisLimitStore {
  readonly #options: RedisLimitStoreOptions;
  readonly #leaseMs: number;
  /** Those that hold places; no more than requests in flight. */
  readonly #leases = new Set<SharedLease>();
  readonly #gathering: Gathering<LimitQuestion, LimitAnswer, LimitWord, void>;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: RedisLimitStoreOptions) {
    const { redis, clock, nowMs = () => -1, leaseMs = LEASE_MS } = options;
    const script = limitScript();
    this.#options = options;
    this.#leaseMs = leaseMs;
    this.#gathering = createGathering({
      ...{ redis, clock, ops: { ask: 'limits.take', tell: 'limits.amend' } },
      send: (client, load) => sendLimits(client, load, { script, leaseMs, nowMs: nowMs() }),
    });
    this.#renewLater();
  }

  async take(
    scopes: readonly LimitScope[],
    tokens: number,
    tenant: string,
  ): Promise<LimitDecision> {
    const holder = { name: this.#options.nextLease(), tenant, scopes };
    const answer = await this.#gathering.ask(tenant, { holder, tokens });
    const { refusal, state, isTight } = answer;
    if (refusal !== null) return { kind: 'refused', ...refusal, state };
    const lease = new SharedLease(this, holder, tokens);
    lease.mayWaitUntilMs = isTight ? NOT_AT_ALL : this.#options.clock.monotonicMs() + FRESH_MS;
    if (lease.holdsPlace) this.#leases.add(lease);
    return { kind: 'granted', lease, state };
  }

  async renew(): Promise<void> {
    const leaseMs = this.#leaseMs;
    const said = { moreTokens: 0, leaseMs };
    for (const { holder } of this.#leases) this.#tell({ holder, said: () => said }, true);
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
    this.#tell(lease, this.#options.clock.monotonicMs() > lease.mayWaitUntilMs);
  }

  ended(lease: SharedLease): void {
    this.#leases.delete(lease);
  }

  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** What does not arrive heals by itself. */
  #tell(word: LimitWord, isUrgent: boolean): void {
    this.#gathering.tell(word.holder.tenant, word, isUrgent).catch(() => undefined);
  }

  #renewLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.#leaseMs / RENEWALS_PER_LEASE, () => {
      void this.renew().finally(() => this.#renewLater());
    });
  }
}

class SharedLease implements LimitLease, LimitWord {
  readonly holder: LimitHolder;
  readonly holdsPlace: boolean;
  /** On the monotonic clock: until then nobody misses what it gives back. */
  mayWaitUntilMs = NOT_AT_ALL;
  readonly #store: SharedCounters;
  #countedTokens: number;
  #actualTokens: number;
  #isReleased = false;
  #isWaiting = false;

  constructor(store: SharedCounters, holder: LimitHolder, tokens: number) {
    this.#store = store;
    this.holder = holder;
    this.holdsPlace = holder.scopes.some(({ limits }) => limits.concurrency !== undefined);
    this.#countedTokens = tokens;
    this.#actualTokens = tokens;
  }

  correctTokens(actualTokens: number): void {
    this.#actualTokens = actualTokens;
    this.#tell();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#store.ended(this);
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

  #tell(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#store.told(this);
  }
}
