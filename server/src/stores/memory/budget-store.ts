/**
 * Budgets counted in this process, over the ledger as the truth: the first use of a scope loads
 * what it has spent in the running period, then reservations and costs are added here.
 *
 * 1. spent + reserved ≤ limit at every grant; amounts are whole nano-dollars. A sum beyond the safe
 *    integers is no longer exact, but above every limit.
 * 2. While a scope loads, reservations wait for it, and costs booked meanwhile are added to
 *    what is loaded: the ledger answers for what was appended before the load began and the
 *    counter for what came after. So whoever books a cost appends it to the ledger in the same
 *    synchronous turn.
 * 3. A reservation belongs to the period it was made in. When the period rolls over, the new one
 *    starts at zero without a load; a cost that arrives late for an old one is the ledger's.
 * 4. A reservation that nobody ends stops counting after its time to live; if it is settled
 *    even later, its cost is still booked.
 *
 * A scope without reservations in flight may be forgotten: it would be loaded again.
 */

import { periodStartMs, renewsInMs, renewsLater } from '../../gateway/model/budget-period.ts';
import type {
  BudgetDecision,
  BudgetFigures,
  BudgetScope,
  BudgetStore,
  SpendingHistory,
} from '../../gateway/ports/budget-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import { LinkedList, type ListNode } from '../../kernel/linked-list.ts';
import type { Nanousd } from '../../kernel/money.ts';
import { countedNanousd } from '../counted-amount.ts';
import { type Account, newAccount, rollOver } from './budget-account.ts';
import { assertAmount, MemoryReservation, type ReservationBook } from './budget-reservation.ts';

export interface MemoryBudgetStoreOptions {
  readonly clock: Clock;
  readonly history: SpendingHistory;
  /** Longest total deadline of a request, plus `RESERVATION_GRACE_MS`. */
  readonly reservationTtlMs: number;
  /** Most scopes counted at once. */
  readonly maxScopes?: number;
}

/** Scopes are told apart by their ids alone, so nobody needs to say whose they are. */
export interface MemoryBudgetStore extends BudgetStore {
  reserve(scopes: readonly BudgetScope[], amountNanousd: Nanousd): Promise<BudgetDecision>;
  charge(scopeIds: readonly string[], costNanousd: Nanousd): void;
  figures(scope: BudgetScope): Promise<BudgetFigures | null>;
}

/** How long after its request's deadline a reservation still counts. */
export const RESERVATION_GRACE_MS = 15 * 60_000;

const MAX_SCOPES = 100_000;
/** How many of the oldest scopes are looked at to make room, so that a full store stays fast. */
const EVICTION_SCAN = 64;
/** A load can be overtaken by a changed period; more often than this it is given up. */
const MAX_LOADS_AWAITED = 4;

const UNAVAILABLE: BudgetDecision = { kind: 'unavailable' };

export function createMemoryBudgetStore(options: MemoryBudgetStoreOptions): MemoryBudgetStore {
  return new CountingBudgetStore(options);
}

class CountingBudgetStore implements MemoryBudgetStore, ReservationBook {
  readonly #clock: Clock;
  readonly #history: SpendingHistory;
  readonly #ttlMs: number;
  readonly #maxScopes: number;
  readonly #accounts = new Map<string, Account>();
  /** Those that still count, the first to expire first; no more than requests in flight. */
  readonly #reservations = new LinkedList<MemoryReservation>();

  constructor(options: MemoryBudgetStoreOptions) {
    this.#clock = options.clock;
    this.#history = options.history;
    this.#ttlMs = options.reservationTtlMs;
    this.#maxScopes = options.maxScopes ?? MAX_SCOPES;
  }

  async reserve(scopes: readonly BudgetScope[], amount: Nanousd): Promise<BudgetDecision> {
    assertAmount(amount);
    const decide = (accounts: readonly Account[]) => this.#decide(scopes, accounts, amount);
    return (await this.#whenReady(scopes, decide)) ?? UNAVAILABLE;
  }

  figures(scope: BudgetScope): Promise<BudgetFigures | null> {
    return this.#whenReady([scope], ([account]) => {
      const nowMs = this.#clock.wallMs();
      const waitMs = renewsInMs(scope.budget.period, nowMs);
      return {
        spentNanousd: account?.spentNanousd ?? 0,
        reservedNanousd: account?.reservedNanousd ?? 0,
        renewsAtMs: waitMs === null ? null : nowMs + waitMs,
      };
    });
  }

  open(): number {
    this.#expire();
    return this.#reservations.size;
  }

  charge(scopeIds: readonly string[], cost: Nanousd): void {
    assertAmount(cost);
    const nowMs = this.#clock.wallMs();
    for (const id of scopeIds) {
      const account = this.#accounts.get(id);
      if (account === undefined) continue;
      rollOver(account, periodStartMs(account.period, nowMs));
      account.spentNanousd += cost;
    }
  }

  enter(reservation: MemoryReservation): ListNode<MemoryReservation> {
    return this.#reservations.push(reservation);
  }

  /** Takes a reservation out of the counters, and books its cost. Called once for each. */
  end(reservation: MemoryReservation, cost: Nanousd): void {
    reservation.withdraw();
    for (const { account } of reservation.shares) {
      const current = this.#accounts.get(account.id);
      if (current === undefined) continue;
      if (reservation.madeAtMs < current.startMs) continue;
      current.spentNanousd += cost;
    }
  }

  /**
   * Calls `then` in the very turn in which all accounts are found loaded, so that nothing can
   * come between; null when they cannot be.
   */
  async #whenReady<T>(
    scopes: readonly BudgetScope[],
    then: (accounts: readonly Account[]) => T,
  ): Promise<T | null> {
    for (let awaited = 0; awaited <= MAX_LOADS_AWAITED; awaited += 1) {
      this.#expire();
      const accounts: Account[] = [];
      const loads: Promise<boolean>[] = [];
      for (const scope of scopes) {
        const account = this.#accountOf(scope);
        if (account === null) return null;
        accounts.push(account);
        if (!account.ready) loads.push(account.loading ?? this.#load(account));
      }
      if (loads.length === 0) return then(accounts);
      const loaded = await Promise.all(loads);
      if (loaded.includes(false)) return null;
    }
    return null;
  }

  #decide(
    scopes: readonly BudgetScope[],
    accounts: readonly Account[],
    amount: Nanousd,
  ): BudgetDecision {
    const nowMs = this.#clock.wallMs();
    const passed: string[] = [];
    let exceeded: Extract<BudgetDecision, { kind: 'exceeded' }> | null = null;
    for (const [i, account] of accounts.entries()) {
      const { id, budget } = scopes[i] as BudgetScope;
      const total = account.spentNanousd + account.reservedNanousd + amount;
      if (total <= budget.limitNanousd) continue;
      if (budget.soft === true) {
        passed.push(id);
        continue;
      }
      const waitMs = renewsInMs(budget.period, nowMs);
      if (exceeded === null || renewsLater(waitMs, exceeded.renewsInMs)) {
        exceeded = { kind: 'exceeded', scope: id, renewsInMs: waitMs };
      }
    }
    if (exceeded !== null) return exceeded;
    const expiresAtMs = this.#clock.monotonicMs() + this.#ttlMs;
    const shares = accounts.map((account, i) => ({
      ...{ account, epoch: account.epoch },
      countedNanousd: countedNanousd(scopes[i] as BudgetScope, amount),
    }));
    const reservation = new MemoryReservation(this, amount, nowMs, expiresAtMs, shares);
    return { kind: 'granted', reservation, passed };
  }

  #expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (;;) {
      const { first } = this.#reservations;
      if (first === undefined || first.expiresAtMs > nowMs) return;
      first.withdraw();
    }
  }

  /** The scope's account in the period its budget has now; null when there is no room. */
  #accountOf({ id, budget }: BudgetScope): Account | null {
    const startMs = periodStartMs(budget.period, this.#clock.wallMs());
    const account = this.#accounts.get(id);
    if (account === undefined) {
      if (this.#accounts.size >= this.#maxScopes && !this.#forgetOne()) return null;
      const fresh = newAccount(id, budget.period, startMs);
      this.#accounts.set(id, fresh);
      return fresh;
    }
    if (account.period === budget.period) rollOver(account, startMs);
    if (account.period !== budget.period || account.startMs !== startMs) {
      account.period = budget.period; // another period, or the clock was set back: load again
      account.startMs = startMs;
      account.ready = false;
      account.loading = null;
    }
    return account;
  }

  #load(account: Account): Promise<boolean> {
    account.spentNanousd = 0;
    const loading = this.#spentBefore(account).then((spent) => {
      if (account.loading !== loading) return true; // overtaken: who waits looks again
      account.loading = null;
      if (spent === null) return false;
      account.spentNanousd += spent;
      account.ready = true;
      return true;
    });
    account.loading = loading;
    return loading;
  }

  /** null when the ledger does not answer. */
  async #spentBefore({ id, startMs }: Account): Promise<Nanousd | null> {
    try {
      return await this.#history.spentNanousd(id, startMs);
    } catch {
      return null;
    }
  }

  /** Forgets an account among the oldest that nothing depends on; busy ones move back. */
  #forgetOne(): boolean {
    let scanned = 0;
    for (const [id, account] of this.#accounts) {
      if (scanned === EVICTION_SCAN) return false;
      scanned += 1;
      this.#accounts.delete(id);
      if (account.open === 0 && account.loading === null) return true;
      this.#accounts.set(id, account);
    }
    return false;
  }
}
