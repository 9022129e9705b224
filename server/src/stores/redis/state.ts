/**
 * Whether a store is there: what the log, health and listeners are told.
 *
 *   connecting ──► up ◄──► down        up: connected, and no breaker tripped since
 *
 * Besides, a server that answers but takes no writes (full, read-only) is `refusing`. Each
 * change is one line; what comes and goes is told at most every ten seconds, and the last that
 * is told of a store is never that it is gone while it is there.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { RedisFailure } from './failure.ts';
import type { StoreReport } from './store.ts';

export interface StoreState {
  /** A connection of a lane is there; the store is when all its lanes are. */
  connected(lane: string): void;
  lost(lane: string, reason: string): void;
  answered(op: string): void;
  /** `tripped`: with this failure the breaker opened. */
  failed(op: string, failure: RedisFailure, tripped: boolean): void;
  /** A breaker opened, and nothing was answered since. */
  tripped(): boolean;
  onReturn(listener: () => void): () => void;
  report(): StoreReport;
  /** Nothing is told any more. */
  close(): void;
}

export interface StoreStateDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly name: string;
  readonly lanes: readonly string[];
}

const LINE_EVERY_MS = 10_000;
const REASON_CHARACTERS = 200;

export function createStoreState(deps: StoreStateDeps): StoreState {
  return new LiveState(deps);
}

class LiveState implements StoreState {
  readonly #deps: StoreStateDeps;
  readonly #listeners = new Set<() => void>();
  /** Operations that are refused; as many as there are operations in the code. */
  readonly #refused = new Map<string, string>();
  #kind: StoreReport['kind'] = 'connecting';
  #sinceMs: number;
  readonly #connected = new Set<string>();
  #isTripped = false;
  #reason: string | null = null;
  #toldGoneMs = Number.NEGATIVE_INFINITY;
  #toldGone = true;
  #toldRefusalMs = Number.NEGATIVE_INFINITY;
  #toldRefusal = false;
  #isClosed = false;

  constructor(deps: StoreStateDeps) {
    this.#deps = deps;
    this.#sinceMs = deps.clock.wallMs();
  }

  connected(lane: string): void {
    this.#connected.add(lane);
    this.#judge();
  }

  lost(lane: string, reason: string): void {
    this.#connected.delete(lane);
    // The first word says more than the closing that follows it.
    if (this.#reason === null || this.#kind === 'up') this.#reason = short(reason);
    this.#judge();
  }

  answered(op: string): void {
    this.#isTripped = false;
    if (this.#kind !== 'up') this.#judge();
    if (this.#refused.size > 0 && this.#refused.delete(op)) this.#tellRefusal();
  }

  failed(op: string, failure: RedisFailure, tripped: boolean): void {
    if (failure.kind === 'write_refused') {
      const isNew = !this.#refused.has(op);
      this.#refused.set(op, short(failure.message));
      if (isNew) this.#tellRefusal();
    } else if (tripped) {
      this.#isTripped = true;
      if (this.#kind !== 'down') this.#reason = short(failure.message);
      this.#judge();
    }
  }

  tripped(): boolean {
    return this.#isTripped;
  }

  onReturn(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  report(): StoreReport {
    const [refusing = null] = this.#refused.values();
    const isUp = this.#kind === 'up';
    return {
      ...{ kind: this.#kind, sinceMs: this.#sinceMs },
      reason: isUp ? null : this.#reason,
      refusing: isUp ? refusing : null,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
  }

  #judge(): void {
    if (this.#isClosed) return;
    const { lanes } = this.#deps;
    const isUp = lanes.every((lane) => this.#connected.has(lane)) && !this.#isTripped;
    const isConnecting = this.#kind === 'connecting' && this.#reason === null;
    const next = isUp ? 'up' : isConnecting ? 'connecting' : 'down';
    if (next === this.#kind) return;
    this.#kind = next;
    this.#sinceMs = this.#deps.clock.wallMs();
    if (next === 'up') {
      this.#reason = null;
      this.#tellBack();
      for (const listener of [...this.#listeners]) listener();
    } else {
      this.#tellGone();
    }
  }

  #tellBack(): void {
    const { log, name } = this.#deps;
    log[this.#toldGone ? 'info' : 'debug'](`The ${name} store on Redis is available`, {
      store: name,
    });
    this.#toldGone = false;
  }

  #tellGone(): void {
    const { log, name, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const isNews = nowMs - this.#toldGoneMs >= LINE_EVERY_MS;
    const message = `The ${name} store on Redis is not available; the service goes on without`;
    log[isNews ? 'warn' : 'debug'](message, { store: name, reason: this.#reason });
    if (!isNews) return;
    this.#toldGoneMs = nowMs;
    this.#toldGone = true;
  }

  #tellRefusal(): void {
    const { log, name, clock } = this.#deps;
    const isRefusing = this.#refused.size > 0;
    const nowMs = clock.monotonicMs();
    if (isRefusing === this.#toldRefusal || nowMs - this.#toldRefusalMs < LINE_EVERY_MS) return;
    this.#toldRefusal = isRefusing;
    this.#toldRefusalMs = nowMs;
    const [reason = null] = this.#refused.values();
    if (isRefusing) log.warn(`Redis takes no writes of the ${name} store`, { store: name, reason });
    else log.info(`Redis takes writes of the ${name} store again`, { store: name });
  }
}

function short(text: string): string {
  return text.slice(0, REASON_CHARACTERS);
}
