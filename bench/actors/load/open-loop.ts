/**
 * Latency: arrival times are drawn before the first call is sent and do not depend on any answer.
 * A call's latency runs from the moment it was due. Arrivals are a Poisson process from a seed,
 * so that each variant sees the same ones at the same rate.
 *
 * Between arrivals the loop spins: timers of 1 ms would send calls in bursts, which every subject
 * would then queue. The process runs at low priority, so spinning takes no time from the upstream.
 */
import type { OpenLoop, OpenResult } from '../protocol.ts';
import { createCaller, type Numbers } from './call.ts';
import { createSamples } from './samples.ts';
import { createTally } from './tally.ts';
import { openWindow } from './window.ts';

const CONNECTIONS = 512;
const SETTLE_MS = 5000;

export async function runOpenLoop(command: OpenLoop, numbers: Numbers): Promise<OpenResult> {
  const caller = createCaller(command.target, CONNECTIONS, numbers);
  const arrivals = drawArrivals(command);
  const latency = createSamples(arrivals.length);
  const lag = createSamples(arrivals.length);
  const tally = createTally();
  const closeWindow = openWindow(command.watched);
  const startedMs = performance.now();
  const send = (dueMs: number, nowMs: number) => {
    lag.add(nowMs - dueMs);
    tally.begin();
    caller.send((problem) => {
      if (problem === null) latency.add(performance.now() - startedMs - dueMs);
      tally.end(problem);
    });
  };
  await spin(arrivals, startedMs, send);
  const load = closeWindow();
  const counts = await tally.settle(SETTLE_MS);
  await caller.close();
  const latencyMs = latency.latencies();
  return { kind: 'open', ...counts, latencyMs, lagMs: lag.latencies(), load };
}

function spin(
  arrivals: readonly number[],
  startedMs: number,
  send: (dueMs: number, nowMs: number) => void,
): Promise<void> {
  let next = 0;
  return new Promise((resolve) => {
    const turn = () => {
      const nowMs = performance.now() - startedMs;
      for (let due = arrivals[next]; due !== undefined && due <= nowMs; due = arrivals[next]) {
        next += 1;
        send(due, nowMs);
      }
      if (next === arrivals.length) resolve();
      else setImmediate(turn);
    };
    turn();
  });
}

/** Arrival times in milliseconds from the start, ascending. */
export function drawArrivals(command: {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly seed: number;
}): readonly number[] {
  const random = createRandom(command.seed);
  const meanGapMs = 1000 / command.ratePerSecond;
  const arrivals: number[] = [];
  for (let atMs = 0; ; ) {
    atMs += -Math.log(1 - random()) * meanGapMs;
    if (atMs >= command.durationMs) return arrivals;
    arrivals.push(atMs);
  }
}

/** A small generator of numbers in [0, 1) that gives the same sequence for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
