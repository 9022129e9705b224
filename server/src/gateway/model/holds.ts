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

/** What is left of a limit. */
export interface LimitFigures {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the full limit is available again. */
  readonly resetMs: number;
}

export interface LimitLease {
  /** Replaces the tokens estimated at admission by those really used. */
  correctTokens(actualTokens: number): void;
  /** Gives the concurrency slots back. */
  release(): void;
}
