/**
 * Bookings on their way to Redis: ended reservations, and costs without one. They are told at
 * once, or with the next question where nobody misses them, and again until they are answered;
 * the scripts book each once.
 *
 * 1. A booking whose account is being loaded waits; where this process has told the load that
 *    the ledger knows the cost (`tell`), it only gives the reservation back.
 * 2. The number that waits is bounded, and so is the wait. What is dropped loses nothing: the
 *    reservation's lease ends, and the account is then loaded from the ledger.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { LinkedList, type ListNode } from '../../kernel/linked-list.ts';
import type { Log } from '../../kernel/log.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { AccountScripts } from './budget-account-scripts.ts';
import { type BudgetPlace, chargeKey } from './budget-keys.ts';
import type { BudgetAnswer, BudgetQuestion, BudgetWord } from './budget-load.ts';
import type { HeldPlace, Share } from './budget-reservation.ts';
import { RedisFailure } from './failure.ts';
import type { Gathering } from './gathering.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface BudgetOutbox {
  /** By the id of the reservation. Urgent: somebody may miss what it gives back. */
  settle(id: string, costNanousd: Nanousd, shares: readonly Share[], isUrgent?: boolean): void;
  /** `madeAtMs`: of a reservation for it that expired; -1: there was none. */
  charge(exchangeId: string, costNanousd: Nanousd, place: HeldPlace, madeAtMs: number): void;
  /** The ledger tells the costs of all bookings of this place so far. */
  tell(place: BudgetPlace): void;
  /** Nobody knows whether it does. */
  withdraw(place: BudgetPlace): void;
  /** Sends what waits once more; resolves when all was answered once. */
  flush(): Promise<void>;
  /** Bookings not answered yet. */
  waiting(): number;
  close(): void;
}

export type BudgetGathering = Gathering<BudgetQuestion, BudgetAnswer, BudgetWord>;

export interface BudgetOutboxOptions {
  readonly redis: RedisStore;
  readonly gathering: BudgetGathering;
  readonly scripts: AccountScripts;
  readonly clock: Clock;
  readonly log: Log;
  /** Time for the scripts; -1: the server's. */
  readonly now: () => number;
}

const RETRY_MS = 100;
/** What is refused for what it says is tried ever more seldom. */
const REFUSED_MOST_MS = 10_000;
const RETRIED_AT_ONCE = 256;
const WAITING_MOST = 100_000;
const WAIT_MOST_MS = 600_000;
const CHARGE_KEPT_MS = 2 * WAIT_MOST_MS;

const ALL = Number.POSITIVE_INFINITY;

export function createBudgetOutbox(options: BudgetOutboxOptions): BudgetOutbox {
  return new Outbox(options);
}

class Outbox implements BudgetOutbox {
  readonly #options: BudgetOutboxOptions;
  /** Oldest first. */
  readonly #bookings = new LinkedList<Booking>();
  readonly #charging = new LinkedList<Promise<void>>();
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: BudgetOutboxOptions) {
    this.#options = options;
  }

  settle(id: string, costNanousd: Nanousd, shares: readonly Share[], isUrgent = true): void {
    this.#book(new Booking(this, 'settle', id, costNanousd, shares), isUrgent);
  }

  charge(exchangeId: string, costNanousd: Nanousd, place: HeldPlace, madeAtMs: number): void {
    const share = { place, madeAtMs, countedNanousd: 0, generation: '', told: false };
    this.#book(new Booking(this, 'charge', exchangeId, costNanousd, [share]), true);
  }

  tell(place: BudgetPlace): void {
    for (const share of this.#sharesAt(place)) share.told = true;
  }

  withdraw(place: BudgetPlace): void {
    for (const share of this.#sharesAt(place)) {
      share.told = false;
      share.generation = '';
    }
  }

  async flush(): Promise<void> {
    this.#resend(ALL);
    await Promise.all([this.#options.gathering.flush(), ...this.#charging.toArray()]);
  }

  waiting(): number {
    return this.#bookings.size;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  answered(booking: Booking): void {
    if (booking.shares.length === 0) booking.node?.remove();
    else this.#retryLater();
  }

  refused(booking: Booking): void {
    const pauseMs = Math.min(RETRY_MS * 2 ** booking.refusals, REFUSED_MOST_MS);
    booking.refusals += 1;
    booking.notBeforeMs = this.#options.clock.monotonicMs() + pauseMs;
    this.#retryLater();
  }

  *#sharesAt({ tenant, scopeId }: BudgetPlace): Iterable<Share> {
    for (const { shares } of this.#bookings.toArray()) {
      for (const share of shares) {
        if (share.place.tenant === tenant && share.place.scopeId === scopeId) yield share;
      }
    }
  }

  #book(booking: Booking, isUrgent: boolean): void {
    if (this.#bookings.size >= WAITING_MOST) return;
    booking.sinceMs = this.#options.clock.monotonicMs();
    booking.node = this.#bookings.push(booking);
    this.#send(booking, isUrgent);
  }

  #send(booking: Booking, isUrgent: boolean): void {
    booking.isSent = true;
    if (booking.kind === 'settle') {
      this.#options.gathering.tell(booking.shares[0]?.place.tenant ?? '', booking, isUrgent);
      return;
    }
    const charging = this.#charging.push(
      this.#charge(booking).then(
        (done) => booking.heard(done),
        (error) => booking.lost(error instanceof RedisFailure && error.kind === 'command_failed'),
      ),
    );
    void charging.value.finally(() => charging.remove());
  }

  async #charge({ id, costNanousd, shares }: Booking): Promise<readonly boolean[]> {
    const [share] = shares;
    if (share === undefined || share.told) return [true];
    const { redis, scripts, now } = this.#options;
    const { place, madeAtMs } = share;
    const keys = [...place.keys, chargeKey(place, id)];
    const values = [now(), id, costNanousd, CHARGE_KEPT_MS, madeAtMs];
    const reply = await redis.background('budgets.charge', (client) =>
      runScript(client, scripts.charge, keys, values),
    );
    return (reply as readonly number[]).map((done) => done === 1);
  }

  #retryLater(): void {
    if (this.#timer !== null || this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(RETRY_MS, () => {
      this.#timer = null;
      this.#resend(RETRIED_AT_ONCE);
      if (this.#bookings.size > 0) this.#retryLater();
    });
  }

  #resend(most: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const oldestMs = nowMs - WAIT_MOST_MS;
    let sent = 0;
    let dropped = 0;
    for (const booking of this.#bookings.toArray()) {
      if (sent >= most) break;
      if (booking.isSent) continue;
      if (booking.sinceMs < oldestMs) {
        booking.node?.remove();
        dropped += 1;
        continue;
      }
      if (booking.notBeforeMs > nowMs && most !== ALL) continue;
      sent += 1;
      this.#send(booking, true);
    }
    if (dropped > 0) {
      this.#options.log.warn('Bookings did not reach Redis; the ledger has them', { dropped });
    }
  }
}

class Booking implements BudgetWord {
  readonly kind: 'settle' | 'charge';
  /** Of the reservation, or of the exchange. */
  readonly id: string;
  readonly costNanousd: Nanousd;
  /** Those that are not done. */
  shares: readonly Share[];
  sinceMs = 0;
  isSent = false;
  refusals = 0;
  notBeforeMs = 0;
  node: ListNode<Booking> | null = null;
  readonly #outbox: Outbox;

  constructor(
    outbox: Outbox,
    kind: Booking['kind'],
    id: string,
    costNanousd: Nanousd,
    shares: readonly Share[],
  ) {
    this.#outbox = outbox;
    this.kind = kind;
    this.id = id;
    this.costNanousd = costNanousd;
    this.shares = shares;
  }

  heard(done: readonly boolean[]): void {
    this.isSent = false;
    this.shares = this.shares.filter((_, i) => done[i] !== true);
    this.#outbox.answered(this);
  }

  lost(isRefused: boolean): void {
    this.isSent = false;
    if (isRefused) this.#outbox.refused(this);
    else this.#outbox.answered(this);
  }
}
