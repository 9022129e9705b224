/** Processes behind a balancer that are restarted in turn, under load: no request fails. */
import { rollingRestart } from '../server/test/support/rolling-restart.ts';
import type { Figures } from './scenario.ts';

const RESTART = { processes: 3, perSecond: 50, seconds: 60, drainDelaySeconds: 5 };
const SHOWN_FAILURES = 10;

export async function measureRollingRestart(say: (progress: string) => void): Promise<Figures> {
  const stops: (() => unknown)[] = [];
  try {
    const { failures, ...figures } = await rollingRestart(
      { after: (stop) => void stops.push(stop) },
      {
        ...RESTART,
        progress: ({ asked, restarts, failures: bad }) =>
          say(`${asked} requests, ${restarts} restarts, ${bad.length} failed`),
      },
    );
    for (const failure of failures.slice(0, SHOWN_FAILURES)) say(failure);
    const isMet = failures.length === 0;
    return { figures: { ...RESTART, ...figures, failed: failures.length }, isMet };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}
