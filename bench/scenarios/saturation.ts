/**
 * CPU per call and throughput at saturation, of one variant in a fresh process.
 *
 * CPU is read when the process has come to rest before the window and when it has come to rest
 * after it, and divided by all calls made between: work that a subject puts off past its answers
 * is counted in full. Throughput is counted within the window alone.
 */
import type { ClosedResult } from '../actors/protocol.ts';
import { cpuMsWhenIdle } from '../processes/wait.ts';
import type { Subject, Variant } from '../subjects/subject.ts';
import { type Mode, prepareTarget } from './calls.ts';
import type { Context } from './scenario.ts';

export interface SaturationSample {
  readonly cpuUsPerCall: number;
  readonly callsPerSecond: number;
  readonly calls: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
  /** Shares of a core in the window. */
  readonly subjectBusy: number;
  readonly generatorAndUpstreamBusy: number;
}

const CONNECTIONS = 64;

export async function measureSaturation(
  { stage, pace, signal }: Context,
  variant: Variant,
  mode: Mode,
): Promise<SaturationSample> {
  const subject = await variant.start(stage);
  try {
    if (subject.pid === null) throw new Error('there is no process to measure');
    const target = await prepareTarget(subject, mode);
    const watched = { subject: subject.pid, upstream: stage.upstream.pid };
    const run = (durationMs: number) =>
      stage.generator.closed({ target, watched, connections: CONNECTIONS, durationMs });
    await run(pace.warmMs);
    const before = await cpuMsWhenIdle(subject.pid, signal);
    const callsBefore = await stage.upstream.count();
    const result = await run(pace.windowMs);
    const after = await cpuMsWhenIdle(subject.pid, signal);
    const callsAfter = await stage.upstream.count();
    const seen = callsAfter.plain + callsAfter.streams - callsBefore.plain - callsBefore.streams;
    checkCounts(result, subject, seen);
    return sampleOf(result, after - before);
  } finally {
    await subject.stop();
  }
}

function sampleOf({ done, perSecond, load }: ClosedResult, cpuMs: number): SaturationSample {
  return {
    cpuUsPerCall: (cpuMs * 1000) / done,
    callsPerSecond: perSecond,
    calls: done,
    rssMb: load.rssMb ?? 0,
    peakRssMb: load.peakRssMb ?? 0,
    subjectBusy: load.subjectBusy ?? 0,
    generatorAndUpstreamBusy: load.generatorBusy + load.upstreamBusy,
  };
}

/** Every miss reaches the upstream and no hit does; one wrong answer spoils the sample. */
function checkCounts(result: ClosedResult, subject: Subject, seen: number): void {
  const { done, errors, firstError } = result;
  if (errors > 0) throw new Error(`${errors} of ${done + errors} calls went wrong: ${firstError}`);
  if (done === 0) throw new Error('no call was answered');
  const expected = subject.isCached ? 0 : done;
  if (seen !== expected) {
    throw new Error(`the upstream saw ${seen} of ${done} calls, not ${expected}`);
  }
}
