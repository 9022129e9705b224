/** The time that an exchange may take in all, counted from the first byte of its request. */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Target } from '../model/target.ts';

/** Aborts `work` when the most patient of the targets would have been given up. */
export function startTotalDeadline(
  clock: Clock,
  exchange: Exchange,
  targets: readonly Target[],
  work: AbortController,
): Timer {
  const totalMs = Math.max(0, ...targets.map((target) => target.timeouts.totalMs));
  const elapsedMs = clock.monotonicMs() - exchange.startedMs;
  return clock.setTimer(Math.max(0, totalMs - elapsedMs), () => {
    work.abort(
      new GatewayError('deadline_exceeded', {
        message: `The answer was not complete after ${totalMs} ms (timeouts.total_ms).`,
      }),
    );
  });
}
