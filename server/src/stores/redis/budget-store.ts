/**
 * Budgets counted in Redis for all processes, over the ledger they share as the truth: the twin
 * of the store in memory.
 *
 * 1. spent + reserved ≤ limit at every grant, over all scopes in one step, on the server's clock.
 * 2. A reservation counts by a lease that its process renews. Where a lease ends (the process
 *    died) its account is loaded anew, so that what the dead one had recorded is in it.
 * 3. An account that Redis lost is loaded before anything is granted (`budget-census.ts`); a
 *    load that takes longer than a caller may wait is `unavailable` to it.
 * 4. Whoever books a cost appends it to the ledger in the same synchronous turn.
 *
 * A Redis that does not answer is `unavailable`: budgets fail closed.
 */

import { renewsInMs, renewsLater } from '../../gateway/model/budget-period.ts';
import type {
  BudgetDecision,
  BudgetFigures,
  BudgetScope,
  BudgetStore,
  SharedSpending,
  Spender,
} from '../../gateway/ports/budget-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { Log } from '../../kernel/log.ts';
import type { Nanousd } from '../../kernel/money.ts';
import { countedNanousd } from '../counted-amount.ts';
import { EXCEEDED, GRANTED } from './budget-account.ts';
import { accountScripts } from './budget-account-scripts.ts';
import {
  type BudgetCensus,
  type Call,
  createBudgetCensus,
  type Statement,
} from './budget-census.ts';
import { BudgetHoldings } from './budget-holdings.ts';
import { accountKeys, type BudgetPlace } from './budget-keys.ts';
import { renewLeases } from './budget-leases.ts';
import { type BudgetAnswer, type BudgetQuestion, sendBudgets } from './budget-load.ts';
import { type BudgetGathering, type BudgetOutbox, createBudgetOutbox } from './budget-outbox.ts';
import {
  assertAmount,
  type ReservationBook,
  type Share,
  SharedReservation,
} from './budget-reservation.ts';
import { budgetScript } from './budget-script.ts';
import { asRedisFailure, mayBeDone } from './failure.ts';
import { createGathering } from './gathering.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';
import type { Workers } from './workers.ts';

export interface RedisBudgetStoreOptions {
  readonly redis: RedisStore;
  readonly workers: Workers;
  readonly history: SharedSpending;
  readonly clock: Clock;
  readonly log: Log;
  /** Unique among all loads of all processes. */
  readonly nextToken: () => string;
  /** Longest total deadline of a request, plus a grace. */
  readonly reservationTtlMs: number;
  /** How long a reservation outlives a process that died. */
  readonly leaseMs?: number;
  /** Replaces the server's clock; tests only. */
  readonly nowMs?: () => number;
}

export interface RedisBudgetStore extends BudgetStore {
  /** Renews leases and expires what nobody ended; happens by itself from time to time. */
  renew(): Promise<void>;
  /** Sends what waits; resolves when all was answered, or could not be for now. */
  flush(): Promise<void>;
  /** Bookings that Redis has not confirmed. */
  waiting(): number;
  close(): Promise<void>;
}

const OPS = { ask: 'budgets.reserve', tell: 'budgets.settle' } as const;
const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
/** How long a caller waits for an account to be loaded. */
const PATIENCE_MS = 2000;
/** What was learned of a budget longer ago may not be so any more. */
const FRESH_MS = 100;
const MAX_DECISIONS = 5;
const UNAVAILABLE: BudgetDecision = { kind: 'unavailable' };

export function createRedisBudgetStore(options: RedisBudgetStoreOptions): RedisBudgetStore {
  return new SharedBudgets(options);
}

type Figures = readonly [kind: number, nowMs: number, spent: string, reserved: string];

class SharedBudgets implements RedisBudgetStore, ReservationBook {
  readonly #options: RedisBudgetStoreOptions;
  readonly #scripts = accountScripts();
  readonly #leaseMs: number;
  readonly #gathering: BudgetGathering;
  readonly #outbox: BudgetOutbox;
  readonly #census: BudgetCensus;
  readonly #holdings = new BudgetHoldings();
  readonly #closing = new AbortController();
  readonly #now: () => number;
  #timer: Timer | null = null;

  constructor(options: RedisBudgetStoreOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#now = options.nowMs ?? (() => -1);
    const common = { ...options, scripts: this.#scripts, now: this.#now, leaseMs: this.#leaseMs };
    this.#gathering = this.#createGathering();
    this.#outbox = createBudgetOutbox({ ...common, gathering: this.#gathering });
    this.#census = createBudgetCensus({ ...common, state: (call) => this.#state(call) });
    this.#renewLater();
  }

  async reserve(
    scopes: readonly BudgetScope[],
    amount: Nanousd,
    spender: Spender,
  ): Promise<BudgetDecision> {
    assertAmount(amount);
    const places = scopes.map(({ id }) => this.#holdings.ask(spender.tenant, id));
    try {
      for (let decisions = 0; decisions < MAX_DECISIONS; decisions += 1) {
        const known = places.map(({ told }) => told);
        const id = `${spender.exchangeId}${decisions === 0 ? '' : `~${decisions}`}`;
        const question = { id, amountNanousd: amount, scopes, places };
        const answer = await this.#ask(question);
        if (answer === null) return UNAVAILABLE;
        if (answer.kind === EXCEEDED) return exceeded(scopes, answer);
        if (answer.kind !== GRANTED) {
          if (!(await this.#loaded(scopes, places))) return UNAVAILABLE;
          continue;
        }
        const reservation = this.#reservationOf(question, spender, answer);
        // A census between question and answer did not know of it: it may not count.
        const isCounted = places.every(({ told }, i) => told === known[i]);
        if (!isCounted) {
          this.#outbox.settle(id, 0, reservation.promised.shares);
          continue;
        }
        this.#holdings.add(reservation);
        const passed = scopes.filter((_, i) => answer.isOver[i] === true).map(({ id }) => id);
        return { kind: 'granted', reservation, passed };
      }
      return UNAVAILABLE;
    } finally {
      this.#holdings.answered(places);
    }
  }

  charge(scopeIds: readonly string[], cost: Nanousd, { tenant, exchangeId }: Spender): void {
    assertAmount(cost);
    if (cost === 0) return;
    for (const scopeId of scopeIds) {
      const place = this.#holdings.known(tenant, scopeId);
      if (place !== undefined) this.#outbox.charge(exchangeId, cost, place, -1);
    }
  }

  async figures(scope: BudgetScope, tenant: string): Promise<BudgetFigures | null> {
    const place = { tenant, scopeId: scope.id };
    const { period } = scope.budget;
    for (let tries = 0; tries < MAX_DECISIONS; tries += 1) {
      const reply = await this.#peek(place, period);
      if (reply === null) return null;
      const [kind, nowMs, spent, reserved] = reply;
      if (kind === GRANTED) {
        const waitMs = renewsInMs(period, nowMs);
        return {
          spentNanousd: Number(spent),
          reservedNanousd: Number(reserved),
          renewsAtMs: waitMs === null ? null : nowMs + waitMs,
        };
      }
      if (!(await this.#loaded([scope], [place]))) return null;
    }
    return null;
  }

  open(): number {
    this.#expire();
    return this.#holdings.size;
  }

  async renew(): Promise<void> {
    this.#expire();
    const { redis } = this.#options;
    const [scripts, holdings] = [this.#scripts, this.#holdings];
    await renewLeases({ redis, scripts, holdings, leaseMs: this.#leaseMs, now: this.#now });
  }

  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  waiting(): number {
    return this.#outbox.waiting();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#outbox.flush();
    this.#closing.abort();
    this.#census.close();
    this.#outbox.close();
  }

  #createGathering(): BudgetGathering {
    const { redis, clock, workers } = this.#options;
    const script = budgetScript();
    const leaseMs = this.#leaseMs;
    return createGathering({
      ...{ redis, clock, ops: OPS },
      send: (client, load) =>
        sendBudgets(client, load, { script, leaseMs, life: workers.life(), nowMs: this.#now() }),
      // Who gave up has told that it ends.
      unwanted: () => undefined,
    });
  }

  /** null where Redis did not answer; what it may have granted all the same is given back. */
  async #ask(question: BudgetQuestion): Promise<BudgetAnswer | null> {
    const tenant = question.places[0]?.tenant ?? '';
    try {
      return await this.#gathering.ask(tenant, question);
    } catch (error) {
      if (mayBeDone(asRedisFailure(OPS.ask, error))) {
        this.#outbox.settle(question.id, 0, sharesOf(question, [], 0));
      }
      return null;
    }
  }

  #reservationOf(
    question: BudgetQuestion,
    { exchangeId }: Spender,
    { nowMs, generations, isTight }: BudgetAnswer,
  ): SharedReservation {
    const { id, amountNanousd } = question;
    const shares = sharesOf(question, generations, nowMs);
    const ownMs = this.#options.clock.monotonicMs();
    const expiresAtMs = ownMs + this.#options.reservationTtlMs;
    const mayWaitUntilMs = isTight ? Number.NEGATIVE_INFINITY : ownMs + FRESH_MS;
    return new SharedReservation(
      { id, exchangeId, amountNanousd, shares, expiresAtMs, mayWaitUntilMs },
      this,
    );
  }

  end(reservation: SharedReservation, cost: Nanousd): void {
    const { id, exchangeId, shares, mayWaitUntilMs } = reservation.promised;
    const isUrgent = this.#options.clock.monotonicMs() > mayWaitUntilMs;
    if (this.#holdings.remove(reservation)) this.#outbox.settle(id, cost, shares, isUrgent);
    else if (cost > 0) {
      for (const { place, madeAtMs } of shares) {
        this.#outbox.charge(exchangeId, cost, place, madeAtMs);
      }
    }
  }

  /** Those that nobody ended in their time: given back, and booked later as costs without one. */
  #expire(): void {
    for (const reservation of this.#holdings.expired(this.#options.clock.monotonicMs())) {
      this.#holdings.remove(reservation);
      const { id, shares } = reservation.promised;
      this.#outbox.settle(id, 0, shares);
    }
  }

  #state(call: Call): Statement {
    this.#outbox.tell(call);
    return {
      reserved: this.#holdings.tell(call, call.token, call.sinceMs),
      withdraw: () => {
        this.#outbox.withdraw(call);
        this.#holdings.withdraw(call, call.token);
      },
    };
  }

  async #loaded(scopes: readonly BudgetScope[], places: readonly BudgetPlace[]): Promise<boolean> {
    const patience = new AbortController();
    const loads = Promise.all(
      places.map((place, i) => this.#census.load(place, scopes[i]?.budget.period ?? 'total')),
    );
    const impatience = sleep(this.#options.clock, PATIENCE_MS, patience.signal).then(
      () => [false],
      () => [false],
    );
    const all = await Promise.race([loads, impatience]);
    patience.abort();
    return all.every((isReady) => isReady);
  }

  async #peek(place: BudgetPlace, period: string): Promise<Figures | null> {
    try {
      await this.#gathering.flush();
      return (await this.#options.redis.background('budgets.figures', (client) =>
        runScript(client, this.#scripts.figures, accountKeys(place), [
          this.#now(),
          this.#options.workers.life(),
          period,
        ]),
      )) as Figures;
    } catch {
      return null;
    }
  }

  #renewLater(): void {
    this.#timer = this.#options.clock.setTimer(this.#leaseMs / RENEWALS_PER_LEASE, () => {
      void this.renew().finally(() => {
        if (!this.#closing.signal.aborted) this.#renewLater();
      });
    });
  }
}

function sharesOf(
  { scopes, places, amountNanousd }: BudgetQuestion,
  generations: readonly string[],
  madeAtMs: number,
): readonly Share[] {
  return places.map((place, i) => ({
    ...{ place, madeAtMs, told: false, generation: generations[i] ?? '' },
    countedNanousd: countedNanousd(scopes[i] as BudgetScope, amountNanousd),
  }));
}

/** Of exceeded scopes the one that renews last is told. */
function exceeded(scopes: readonly BudgetScope[], { nowMs, isOver }: BudgetAnswer): BudgetDecision {
  let told: Extract<BudgetDecision, { kind: 'exceeded' }> | null = null;
  for (const [i, { id, budget }] of scopes.entries()) {
    const waitMs = renewsInMs(budget.period, nowMs);
    if (isOver[i] !== true) continue;
    if (told !== null && !renewsLater(waitMs, told.renewsInMs)) continue;
    told = { kind: 'exceeded', scope: id, renewsInMs: waitMs };
  }
  return told ?? UNAVAILABLE;
}
