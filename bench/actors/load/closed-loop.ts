/**
 * Saturation: a fixed number of calls is always in flight; each answer sends the next call. Gives
 * throughput. It gives no latency: a closed loop waits for the slow calls it should have measured.
 */
import type { ClosedLoop, ClosedResult } from '../protocol.ts';
import type { Numbers } from './call.ts';
import { openLane } from './lane.ts';
import { createTally } from './tally.ts';
import { openWindow } from './window.ts';

const SETTLE_MS = 5000;
/** A subject that fails at once must not become a busy loop of failures. */
const MAX_ERRORS = 100;

export async function runClosedLoop(command: ClosedLoop, numbers: Numbers): Promise<ClosedResult> {
  const { target, watched, connections, durationMs } = command;
  const opening = Array.from({ length: connections }, () => openLane(target, numbers));
  const lanes = await Promise.all(opening);
  const tally = createTally();
  let inWindow = 0;
  let errors = 0;
  const closeWindow = openWindow(watched);
  const endMs = performance.now() + durationMs;
  for (const lane of lanes) {
    const next = () => {
      if (performance.now() >= endMs || errors > MAX_ERRORS) return;
      tally.begin();
      lane.send((problem) => {
        if (problem !== null) errors += 1;
        else if (performance.now() < endMs) inWindow += 1;
        next();
        tally.end(problem);
      });
    };
    next();
  }
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const load = closeWindow();
  const counts = await tally.settle(SETTLE_MS);
  for (const lane of lanes) lane.close();
  return { kind: 'closed', ...counts, perSecond: (inWindow / durationMs) * 1000, load };
}
