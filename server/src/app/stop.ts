/**
 * Stopping without hurting anyone: not ready at once; still accepting for the drain delay, so
 * that balancers notice; then no new connections; running requests get the drain time; what
 * still runs then is ended with an error in its dialect.
 */
import type { Server } from 'node:http';
import { GatewayError } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from './health.ts';

/** `now` skips the delay and gives running requests no time. */
export type Shutdown = 'drain' | 'now';

export interface StopDeps {
  readonly clock: Clock;
  readonly server: Server;
  readonly lifecycle: Lifecycle;
  readonly running: ReadonlySet<AbortController>;
  readonly drainDelayMs: number;
  readonly drainMs: number;
}

const POLL_MS = 50;
/** For the last error events to reach their clients. */
const LAST_WORDS_MS = 1000;

export async function stopServer(deps: StopDeps, how: Shutdown): Promise<void> {
  const { server, lifecycle, running } = deps;
  lifecycle.phase = 'draining';
  if (how === 'drain') await pause(deps.clock, deps.drainDelayMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await untilIdle(deps, how === 'drain' ? deps.drainMs : 0);
  for (const exchange of running) exchange.abort(new GatewayError('shutting_down'));
  await untilIdle(deps, LAST_WORDS_MS);
  server.closeAllConnections();
  await closed;
}

/** Until nothing runs, or the time is over. */
async function untilIdle(deps: StopDeps, durationMs: number): Promise<void> {
  const endMs = deps.clock.monotonicMs() + durationMs;
  for (;;) {
    deps.server.closeIdleConnections();
    if (deps.running.size === 0 || deps.clock.monotonicMs() >= endMs) return;
    await pause(deps.clock, POLL_MS);
  }
}

function pause(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(durationMs, resolve));
}
