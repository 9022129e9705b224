/**
 * Limits counted in Redis for all processes: the twin of the store in memory. A request is
 * decided by one script in one step, on the server's clock.
 *
 * 1. A place among the concurrent ones is leased and renewed for as long as its request runs;
 *    the places of a process that died come back when their leases end.
 * 2. What a request gives back is sent in the background and merged into one command. It is
 *    not repeated when it fails: tokens drain within their minute, a place ends by its lease.
 *
 * Throws a `RedisFailure` where Redis does not decide; what happens then is the caller's.
 */
import type { LimitLease } from '../../gateway/model/holds.ts';
import type {
  LimitDecision,
  LimitFigures,
  LimitScope,
  LimitStore,
} from '../../gateway/ports/limit-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { counterKey } from './counter-keys.ts';
import {
  type LimitScripts,
  limitScripts,
  NEVER_MS,
  UNKNOWN_MS,
  UNLIMITED,
} from './limit-script.ts';
import { runScript, type ScriptValue } from './script.ts';
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

export function createRedisLimitStore(options: RedisLimitStoreOptions): RedisLimitStore {
  return new SharedCounters(options);
}

class SharedCounters implements RedisLimitStore {
  readonly #options: RedisLimitStoreOptions;
  readonly #scripts: LimitScripts = limitScripts();
  readonly #leaseMs: number;
  /** Those that hold places; no more than requests in flight. */
  readonly #leases = new Set<SharedLease>();
  readonly #sending = new Set<Promise<unknown>>();
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: RedisLimitStoreOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#renewLater();
  }

  async take(
    scopes: readonly LimitScope[],
    tokens: number,
    tenant: string,
  ): Promise<LimitDecision> {
    const { redis, nextLease } = this.#options;
    const keys = keysOf(tenant, scopes);
    const name = nextLease();
    const values: ScriptValue[] = [this.#now(), tokens, name, this.#leaseMs];
    for (const { limits } of scopes) {
      values.push(
        limits.requestsPerMinute ?? UNLIMITED,
        limits.tokensPerMinute ?? UNLIMITED,
        limits.concurrency ?? UNLIMITED,
      );
    }
    const { take } = this.#scripts;
    const reply = await redis.hot('limits.take', (client) => runScript(client, take, keys, values));
    const lease = new SharedLease(this, { name, keys, scopes, tokens });
    const decision = decisionOf(reply as Reply, scopes, lease);
    if (decision.kind === 'granted' && lease.holdsPlace) this.#leases.add(lease);
    return decision;
  }

  async renew(): Promise<void> {
    const all = [...this.#leases].map((lease) => this.#amend(lease, 0, this.#leaseMs));
    await Promise.all(all);
  }

  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** What a lease has to say, at the end of this turn. */
  later(lease: SharedLease): void {
    const sending = Promise.resolve().then(() => {
      const { moreTokens, isReleased } = lease.said();
      if (isReleased) this.#leases.delete(lease);
      if (moreTokens === 0 && !(isReleased && lease.holdsPlace)) return;
      return this.#amend(lease, moreTokens, isReleased ? 0 : this.#leaseMs);
    });
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  /** Never rejects: what does not arrive heals by itself. */
  async #amend(lease: SharedLease, moreTokens: number, leaseMs: number): Promise<void> {
    const values: ScriptValue[] = [this.#now(), lease.name, leaseMs, moreTokens];
    for (const { limits } of lease.scopes) {
      values.push(
        limits.requestsPerMinute ?? UNLIMITED,
        limits.tokensPerMinute ?? UNLIMITED,
        limits.concurrency === undefined ? 0 : 1,
      );
    }
    const { amend } = this.#scripts;
    await this.#options.redis
      .background('limits.amend', (client) => runScript(client, amend, lease.keys, values))
      .catch(() => undefined);
  }

  #renewLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.#leaseMs / RENEWALS_PER_LEASE, () => {
      void this.renew().finally(() => this.#renewLater());
    });
  }

  #now(): number {
    return this.#options.nowMs?.() ?? -1;
  }
}

interface LeaseFacts {
  readonly name: string;
  readonly keys: readonly string[];
  readonly scopes: readonly LimitScope[];
  readonly tokens: number;
}

class SharedLease implements LimitLease {
  readonly name: string;
  readonly keys: readonly string[];
  readonly scopes: readonly LimitScope[];
  readonly holdsPlace: boolean;
  readonly #store: SharedCounters;
  #countedTokens: number;
  #actualTokens: number;
  #isReleased = false;
  #isWaiting = false;

  constructor(store: SharedCounters, { name, keys, scopes, tokens }: LeaseFacts) {
    this.#store = store;
    this.name = name;
    this.keys = keys;
    this.scopes = scopes;
    this.holdsPlace = scopes.some(({ limits }) => limits.concurrency !== undefined);
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
    this.#tell();
  }

  /** What was not told yet; it counts as told now. */
  said(): { readonly moreTokens: number; readonly isReleased: boolean } {
    this.#isWaiting = false;
    const moreTokens = this.#actualTokens - this.#countedTokens;
    this.#countedTokens = this.#actualTokens;
    return { moreTokens, isReleased: this.#isReleased };
  }

  #tell(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#store.later(this);
  }
}

function keysOf(tenant: string, scopes: readonly LimitScope[]): string[] {
  return scopes.flatMap(({ id }) => [
    counterKey(tenant, 'use', id),
    counterKey(tenant, 'places', id),
  ]);
}

type Reply = readonly [
  refusing: number,
  reason: 'requests' | 'tokens' | 'concurrency' | '',
  waitMs: number,
  ...figures: number[],
];

function decisionOf(
  reply: Reply,
  scopes: readonly LimitScope[],
  lease: SharedLease,
): LimitDecision {
  const [refusing, reason, waitMs, ...figures] = reply;
  const state = { requests: figuresOf(figures, 0), tokens: figuresOf(figures, 3) };
  const scope = scopes[refusing - 1];
  if (scope === undefined || reason === '') return { kind: 'granted', lease, state };
  const retryAfterMs = waitMs === NEVER_MS || waitMs === UNKNOWN_MS ? null : waitMs;
  return { kind: 'refused', scope: scope.id, reason, retryAfterMs, state };
}

function figuresOf(figures: readonly number[], from: number): LimitFigures | null {
  const [limit = UNLIMITED, remaining = 0, resetMs = 0] = figures.slice(from, from + 3);
  return limit === UNLIMITED ? null : { limit, remaining, resetMs };
}
