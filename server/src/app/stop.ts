/**
 * Stopping without hurting anyone: not ready at once; still accepting for the drain delay, so
 * that balancers notice; then no new connections; running requests get the drain time; what
 * still runs then is ended with an error in its dialect.
 */
import type { Server } from 'node:http';
import { GatewayError } from '../gateway/index.ts';
import type { RunningExchange } from '../http/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { sleep } from '../kernel/deadline.ts';
import type { LinkedList } from '../kernel/linked-list.ts';
import type { Lifecycle } from './health.ts';

/**
 * `drain`: a balancer must notice first. `finish`: there is none to wait for (a person at a
 * terminal), but running requests end. `now` gives those no time either.
 */
export type Shutdown = 'drain' | 'finish' | 'now';

export interface StopDeps {
  readonly clock: Clock;
  readonly server: Server;
  readonly lifecycle: Lifecycle;
  readonly running: LinkedList<RunningExchange>;
  readonly drainDelayMs: number;
  readonly drainMs: number;
  /** Aborts when nothing is to be waited for any more. */
  readonly hurry: AbortSignal;
}

const POLL_MS = 50;
/** For the last error events to reach their clients. */
const LAST_WORDS_MS = 1000;
const NEVER = new AbortController().signal;

export async function stopServer(deps: StopDeps): Promise<void> {
  const { server, lifecycle, running } = deps;
  lifecycle.phase = 'draining';
  await pause(deps, deps.drainDelayMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await waitFor(deps, deps.drainMs, () => running.size === 0);
  for (const { abort } of running.toArray()) abort.abort(new GatewayError('shutting_down'));
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  // An exchange is over before its last bytes have left.
  await waitFor({ ...deps, hurry: NEVER }, LAST_WORDS_MS, () => isClosed);
  server.closeAllConnections();
  await closed;
}

/** Until that is so, or the time is over. */
async function waitFor(deps: StopDeps, durationMs: number, isSo: () => boolean): Promise<void> {
  const endMs = deps.clock.monotonicMs() + durationMs;
  for (;;) {
    deps.server.closeIdleConnections();
    if (isSo() || deps.clock.monotonicMs() >= endMs || deps.hurry.aborted) return;
    await pause(deps, POLL_MS);
  }
}

/** Resolves when the time is over, or at once in a hurry. */
async function pause({ clock, hurry }: StopDeps, durationMs: number): Promise<void> {
  await sleep(clock, durationMs, hurry).catch(() => undefined);
}
