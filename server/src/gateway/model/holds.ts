/**
 * What an exchange holds while it runs and must give back: money promised, and places in
 * the counters of its limits. Ending one twice is harmless.
 */
import type { Nanousd } from '../../kernel/money.ts';

export interface Reservation {
  readonly amountNanousd: Nanousd;
  /** Replaces the reservation by the real cost; ends it. */
  settle(costNanousd: Nanousd): void;
  /** Gives it back whole; ends it. */
  release(): void;
}

export interface LimitLease {
  /** Replaces the tokens estimated at admission by those really used. */
  correctTokens(actualTokens: number): void;
  /** Gives the concurrency slots back. */
  release(): void;
}
