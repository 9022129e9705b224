/** The time that an exchange may take in all, counted from the first byte of its request. */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Target } from '../model/target.ts';

/** Of the most patient of the targets: all of the time, and what is left of it. */
export function totalTime(clock: Clock, exchange: Exchange, targets: readonly Target[]) {
  const totalMs = Math.max(0, ...targets.map((target) => target.timeouts.totalMs));
  return { totalMs, leftMs: totalMs - (clock.monotonicMs() - exchange.startedMs) };
}

/**
 * Aborts `work` when the most patient of the targets would have been given up; at once where
 * that time is over, so that nothing is sent in vain.
 */
export function startTotalDeadline(
  clock: Clock,
  exchange: Exchange,
  targets: readonly Target[],
  work: AbortController,
): Timer {
  const { totalMs, leftMs } = totalTime(clock, exchange, targets);
  const end = (): void => {
    work.abort(
      new GatewayError('deadline_exceeded', {
        message: `The answer was not complete after ${totalMs} ms (timeouts.total_ms).`,
      }),
    );
  };
  if (totalMs > 0 && leftMs <= 0) end();
  return clock.setTimer(Math.max(0, leftMs), end);
}
