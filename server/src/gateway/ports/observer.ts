/**
 * Who watches exchanges: called once at the start of each, and once at its end, whatever that is.
 * Implementations write the one log line and move the meters; they never throw and never wait.
 */
import type { Exchange } from '../model/exchange.ts';

export interface ExchangeEnd {
  /** The status the client was given, 499 when it left first. */
  readonly status: number;
  readonly durationMs: number;
  readonly error: unknown;
}

export interface ExchangeObserver {
  started(exchange: Exchange): void;
  ended(exchange: Exchange, end: ExchangeEnd): void;
}
