/**
 * Watches exchanges: at the end of each, one log line and its meters; in between, how many
 * run. Called by the pipeline's outermost stage, whatever the end.
 *
 * Invariant: it never throws and never waits: an exchange must not fail because telling
 * about it did.
 */
import { asGatewayError } from '../gateway/model/errors.ts';
import type { ExchangeObserver } from '../gateway/ports/observer.ts';
import { createBudgetWarnings } from './budget-warnings.ts';
import { writeExchangeLine } from './exchange-line.ts';
import { createExchangeMeters } from './exchange-meters.ts';
import type { LogHandle } from './log.ts';
import { type Metrics, single } from './metrics.ts';

export function createObserver(log: LogHandle, metrics: Metrics): ExchangeObserver {
  const meters = createExchangeMeters(metrics);
  const named = log.named('observer');
  const warn = createBudgetWarnings(log.named('budgets'), metrics.budgetWarnings.child({}));
  let inFlight = 0;
  metrics.inFlight.sample(single(() => inFlight));
  return {
    started() {
      inFlight += 1;
    },
    ended(exchange, end) {
      inFlight -= 1;
      try {
        const error = end.error === null || end.error === undefined ? null : end.error;
        const coded = error === null ? null : asGatewayError(error);
        warn(exchange);
        meters.record(exchange, end.status, end.durationMs, coded);
        writeExchangeLine(log.writer, exchange, end);
      } catch (thrown) {
        named.error('an exchange could not be reported', { error: thrown, id: exchange.id });
      }
    },
  };
}
