/**
 * Watches exchanges: at the end of each, one log line and its meters; in between, how many
 * run. Where the level is `debug` there is a line at the start, too, which tells of what never
 * ended. Called by the pipeline's outermost stage, whatever the end.
 *
 * Invariant: it never throws and never waits: an exchange must not fail because telling
 * about it did.
 */
import { asGatewayError } from '../gateway/model/errors.ts';
import type { Exchange } from '../gateway/model/exchange.ts';
import type { ExchangeObserver } from '../gateway/ports/observer.ts';
import type { Log } from '../kernel/log.ts';
import { createBudgetWarnings } from './budget-warnings.ts';
import { writeExchangeLine } from './exchange-line.ts';
import { createExchangeMeters } from './exchange-meters.ts';
import type { LogHandle } from './log.ts';
import { type Metrics, single } from './metrics.ts';

export function createObserver(log: LogHandle, metrics: Metrics): ExchangeObserver {
  const meters = createExchangeMeters(metrics);
  const named = log.named('observer');
  const exchanges = log.named('exchange');
  const warn = createBudgetWarnings(log.named('budgets'), metrics.budgetWarnings.child({}));
  let inFlight = 0;
  metrics.inFlight.sample(single(() => inFlight));
  return {
    started(exchange) {
      inFlight += 1;
      if (log.writer.enabled('debug')) tellStart(exchanges, exchange);
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

/** What is known before anybody is: who it is, and where it goes, is found on the way. */
function tellStart(log: Log, { id, correlationId, request }: Exchange): void {
  log.debug('request started', {
    ...{ request_id: id, correlation_id: correlationId },
    ...{ dialect: request.dialect, operation: request.operation, stream: request.stream },
  });
}
