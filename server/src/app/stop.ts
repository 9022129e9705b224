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
import type { Lifecycle } from './health.ts';

/** `now` skips the delay and gives running requests no time. */
export type Shutdown = 'drain' | 'now';

export interface StopDeps {
  readonly clock: Clock;
  readonly server: Server;
  readonly lifecycle: Lifecycle;
  readonly running: ReadonlySet<RunningExchange>;
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
  await untilIdle(deps, deps.drainMs);
  for (const { abort } of running) abort.abort(new GatewayError('shutting_down'));
  await untilIdle({ ...deps, hurry: NEVER }, LAST_WORDS_MS);
  server.closeAllConnections();
  await closed;
}

/** Until nothing runs, or the time is over. */
async function untilIdle(deps: StopDeps, durationMs: number): Promise<void> {
  const endMs = deps.clock.monotonicMs() + durationMs;
  for (;;) {
    deps.server.closeIdleConnections();
    if (deps.running.size === 0 || deps.clock.monotonicMs() >= endMs) return;
    if (deps.hurry.aborted) return;
    await pause(deps, POLL_MS);
  }
}

/** Resolves when the time is over, or at once in a hurry. */
async function pause({ clock, hurry }: StopDeps, durationMs: number): Promise<void> {
  await sleep(clock, durationMs, hurry).catch(() => undefined);
}
