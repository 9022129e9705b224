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
import type { Log } from '../../kernel/log.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { AccountScripts } from './budget-account-scripts.ts';
import { accountKeys, type BudgetPlace, chargeKey, placeName, recentKey } from './budget-keys.ts';
import type { BudgetAnswer, BudgetQuestion, BudgetWord } from './budget-load.ts';
import type { Share } from './budget-reservation.ts';
import type { Gathering } from './gathering.ts';
import { runScript } from './script.ts';
import type { RedisStore } from './store.ts';

export interface BudgetOutbox {
  /** By the id of the reservation. Urgent: somebody may miss what it gives back. */
  settle(id: string, costNanousd: Nanousd, shares: readonly Share[], isUrgent?: boolean): void;
  /** `madeAtMs`: of a reservation for it that expired; -1: there was none. */
  charge(exchangeId: string, costNanousd: Nanousd, place: BudgetPlace, madeAtMs: number): void;
  /** The ledger tells the costs of all bookings of this place so far. */
  tell(place: BudgetPlace): void;
  /** Sends what waits once more; resolves when all was answered once. */
  flush(): Promise<void>;
  /** Bookings not answered yet. */
  waiting(): number;
  close(): void;
}

export type BudgetGathering = Gathering<
  BudgetQuestion,
  BudgetAnswer,
  BudgetWord,
  readonly boolean[]
>;

export interface BudgetOutboxOptions {
  readonly redis: RedisStore;
  readonly gathering: BudgetGathering;
  readonly scripts: AccountScripts;
  readonly clock: Clock;
  readonly log: Log;
  /** Time for the scripts; -1: the server's. */
  readonly now: () => number;
}

interface Part {
  readonly share: Share;
  told: boolean;
}

interface Booking {
  readonly kind: 'settle' | 'charge';
  /** Of the reservation, or of the exchange. */
  readonly id: string;
  readonly costNanousd: Nanousd;
  parts: readonly Part[];
  readonly sinceMs: number;
  isUrgent: boolean;
  isSent: boolean;
}

const RETRY_MS = 100;
const RETRIED_AT_ONCE = 256;
const WAITING_MOST = 100_000;
const WAIT_MOST_MS = 600_000;
const CHARGE_KEPT_MS = 2 * WAIT_MOST_MS;

export function createBudgetOutbox(options: BudgetOutboxOptions): BudgetOutbox {
  return new Outbox(options);
}

class Outbox implements BudgetOutbox {
  readonly #options: BudgetOutboxOptions;
  /** Oldest first. */
  readonly #bookings = new Set<Booking>();
  readonly #sending = new Set<Promise<void>>();
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: BudgetOutboxOptions) {
    this.#options = options;
  }

  settle(id: string, costNanousd: Nanousd, shares: readonly Share[], isUrgent = true): void {
    this.#book({ kind: 'settle', id, costNanousd, isUrgent }, shares);
  }

  charge(id: string, costNanousd: Nanousd, place: BudgetPlace, madeAtMs: number): void {
    const share = { ...place, generation: '', madeAtMs };
    this.#book({ kind: 'charge', id, costNanousd, isUrgent: true }, [share]);
  }

  tell(place: BudgetPlace): void {
    const name = placeName(place);
    for (const booking of this.#bookings) {
      for (const part of booking.parts) part.told ||= placeName(part.share) === name;
    }
  }

  async flush(): Promise<void> {
    this.#resend(Number.POSITIVE_INFINITY);
    while (this.#sending.size > 0) {
      await Promise.all([this.#options.gathering.flush(), ...this.#sending]);
    }
  }

  waiting(): number {
    return this.#bookings.size;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #book(
    facts: Pick<Booking, 'kind' | 'id' | 'costNanousd' | 'isUrgent'>,
    shares: readonly Share[],
  ): void {
    if (this.#bookings.size >= WAITING_MOST) return;
    const parts = shares.map((share) => ({ share, told: false }));
    const sinceMs = this.#options.clock.monotonicMs();
    const booking: Booking = { ...facts, parts, sinceMs, isSent: false };
    this.#bookings.add(booking);
    this.#send(booking);
  }

  #send(booking: Booking): void {
    booking.isSent = true;
    const sending = this.#deliver(booking).then(
      (done) => {
        booking.isSent = false;
        booking.parts = booking.parts.filter((_, i) => done[i] !== true);
        booking.isUrgent = true;
        if (booking.parts.length === 0) this.#bookings.delete(booking);
        else this.#retryLater();
      },
      () => {
        booking.isSent = false;
        this.#retryLater();
      },
    );
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  async #deliver(booking: Booking): Promise<readonly boolean[]> {
    const { kind, id, costNanousd, parts, isUrgent } = booking;
    const [first] = parts;
    if (first === undefined) return [];
    const { redis, gathering, scripts, now } = this.#options;
    if (kind === 'settle') return gathering.tell(first.share.tenant, booking, isUrgent);
    if (first.told) return [true];
    const { share } = first;
    const keys = [...accountKeys(share), recentKey(share), chargeKey(share, id)];
    const values = [now(), id, costNanousd, CHARGE_KEPT_MS, share.madeAtMs];
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
    const oldestMs = this.#options.clock.monotonicMs() - WAIT_MOST_MS;
    let sent = 0;
    let dropped = 0;
    for (const booking of [...this.#bookings]) {
      if (sent >= most) break;
      if (booking.isSent) continue;
      if (booking.sinceMs < oldestMs) {
        this.#bookings.delete(booking);
        dropped += 1;
        continue;
      }
      sent += 1;
      this.#send(booking);
    }
    if (dropped > 0) {
      this.#options.log.warn('Bookings did not reach Redis; the ledger has them', { dropped });
    }
  }
}
