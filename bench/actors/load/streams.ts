/**
 * Streams: a new one is due at a fixed interval such that `concurrent` of them run at any time.
 * After as long as one stream takes, the window opens: time to first chunk of the streams due in
 * it, and for each chunk in it the distance of its gap from the interval of the source.
 */
import type { StreamLoop, StreamResult } from '../protocol.ts';
import { type Caller, createCaller, type Numbers } from './call.ts';
import { createChunkCounter } from './chunk-counter.ts';
import { createSamples, type Samples } from './samples.ts';
import { createTally, type Tally } from './tally.ts';
import { openWindow } from './window.ts';

const SPARE_CONNECTIONS = 1.5;
const SETTLE_MS = 2000;

interface Run {
  readonly command: StreamLoop;
  readonly caller: Caller;
  readonly tally: Tally;
  readonly firstChunk: Samples;
  readonly jitter: Samples;
  readonly live: Set<() => void>;
  fromMs: number;
  untilMs: number;
  chunksSeen: number;
}

export async function runStreams(command: StreamLoop, numbers: Numbers): Promise<StreamResult> {
  const streamMs = command.chunks * command.chunkIntervalMs;
  const perMs = command.concurrent / streamMs;
  const expected = command.durationMs * perMs * 2;
  const connections = Math.ceil(command.concurrent * SPARE_CONNECTIONS);
  const run: Run = {
    command,
    caller: createCaller(command.target, connections, numbers),
    tally: createTally(),
    firstChunk: createSamples(Math.ceil(expected)),
    jitter: createSamples(Math.ceil(expected * command.chunks)),
    live: new Set(),
    fromMs: Number.POSITIVE_INFINITY,
    untilMs: Number.POSITIVE_INFINITY,
    chunksSeen: 0,
  };
  const arrivals = scheduleArrivals(run, 1 / perMs);
  await sleep(streamMs);
  run.fromMs = performance.now();
  run.untilMs = run.fromMs + command.durationMs;
  const closeWindow = openWindow(command.watched);
  arrivals.measure();
  await sleep(command.durationMs);
  const load = closeWindow();
  const concurrentMean = arrivals.stop();
  for (const leave of run.live) leave();
  const counts = await run.tally.settle(SETTLE_MS);
  await run.caller.close();
  return {
    kind: 'streams',
    ...counts,
    firstChunkMs: run.firstChunk.latencies(),
    jitterMs: run.jitter.latencies(),
    concurrentMean,
    chunksSeen: run.chunksSeen,
    load,
  };
}

function scheduleArrivals(run: Run, gapMs: number) {
  const startedMs = performance.now();
  let next = 0;
  let liveSum = 0;
  let liveCount = 0;
  let isMeasuring = false;
  let timer: NodeJS.Timeout;
  const tick = () => {
    const nowMs = performance.now();
    for (; startedMs + next * gapMs <= nowMs; next += 1) begin(run, startedMs + next * gapMs);
    if (isMeasuring) {
      liveSum += run.live.size;
      liveCount += 1;
    }
    timer = setTimeout(tick, Math.max(1, Math.floor(startedMs + next * gapMs - nowMs)));
  };
  tick();
  return {
    measure() {
      isMeasuring = true;
    },
    /** Returns how many streams ran on average while it was measured. */
    stop() {
      clearTimeout(timer);
      return liveCount === 0 ? 0 : liveSum / liveCount;
    },
  };
}

function begin(run: Run, dueMs: number): void {
  const { chunks, chunkIntervalMs } = run.command;
  const countChunks = createChunkCounter();
  let seen = 0;
  let lastMs = 0;
  let hasLeft = false;
  const onChunk = (nowMs: number) => {
    const isWithin = nowMs >= run.fromMs && nowMs < run.untilMs;
    if (isWithin) run.chunksSeen += 1;
    if (seen === 0 && dueMs >= run.fromMs) run.firstChunk.add(nowMs - dueMs);
    else if (seen > 0 && isWithin) run.jitter.add(Math.abs(nowMs - lastMs - chunkIntervalMs));
    seen += 1;
    lastMs = nowMs;
  };
  run.tally.begin();
  const abort = run.caller.stream({
    onBytes(bytes) {
      const nowMs = performance.now();
      // What follows the last chunk of content comes at once and is no part of the rhythm.
      for (let left = countChunks(bytes); left > 0 && seen < chunks; left -= 1) onChunk(nowMs);
    },
    onEnd(problem) {
      run.live.delete(leave);
      if (hasLeft) run.tally.end(null);
      else if (problem === null && seen < chunks) run.tally.end(`${seen} chunks of ${chunks}`);
      else run.tally.end(problem);
    },
  });
  const leave = () => {
    hasLeft = true;
    abort();
  };
  run.live.add(leave);
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
