/**
 * Where an answer comes from, and what that costs: a call of the provider, the memory of the
 * worker, or Redis; with one worker and with three. CPU as in the other scenarios, of all
 * processes of the subject; Redis' own beside it. Latency is open loop, at one rate for all.
 */
import type { OpenResult } from '../actors/protocol.ts';
import { readProcess } from '../measure/proc.ts';
import { summarise } from '../measure/stats.ts';
import { cpuMsWhenIdle } from '../processes/wait.ts';
import { number, percent, spread } from '../report/format.ts';
import type { TierId, Variant } from '../subjects/subject.ts';
import { tiers as variants } from '../subjects/tiers.ts';
import { prepareTarget } from './calls.ts';
import { type Rounds, runRounds } from './rounds.ts';
import type { Context, Outcome, Scenario, Table } from './scenario.ts';

interface TierSample {
  readonly cpuUsPerCall: number;
  readonly redisUsPerCall: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly lagP99Ms: number | null;
  readonly subjectBusy: number;
}

const CONNECTIONS = 60;
const RATE = 200;
const ORDER: readonly TierId[] = [
  ...(['miss-1', 'memory-1', 'redis-1', 'miss-3', 'memory-3', 'redis-3'] as const),
];
const measured: readonly Variant[] = ORDER.map((id) => variants[id]);

export const tiers: Scenario = {
  name: 'tiers',
  steps: ({ pace }) => pace.longRounds * measured.length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const { samples, notes, failures } = await runRounds(context, {
    name: 'tiers',
    variants: measured,
    rounds: context.pace.longRounds,
    measure: (variant, round) => measureTier(context, variant, round),
  });
  return {
    scenario: 'tiers',
    title: 'Where an answer comes from: provider, memory or Redis',
    method:
      `CPU and calls/s with ${CONNECTIONS} calls of 1 KB in flight, all workers on one core; ` +
      `latency at ${RATE} calls/s, Poisson arrivals`,
    table: tableOf(samples),
    verdicts: [],
    notes,
    failures,
    samples: Object.fromEntries(samples),
  };
}

async function measureTier(
  { stage, pace, signal }: Context,
  variant: Variant,
  round: number,
): Promise<TierSample> {
  const subject = await variant.start(stage);
  const { pid, redisPid } = subject;
  try {
    if (pid === null || redisPid === undefined) throw new Error('there is nothing to measure');
    const target = await prepareTarget(subject, 'plain');
    const watched = { subject: pid, upstream: stage.upstream.pid };
    const saturate = (durationMs: number) =>
      stage.generator.closed({ target, watched, connections: CONNECTIONS, durationMs });
    // Each worker has to run warm by itself.
    await saturate(pace.warmMs * (variant.id.endsWith('3') ? 3 : 1));
    const before = { own: await cpuMsWhenIdle(pid, signal), redis: readProcess(redisPid).cpuMs };
    const seenBefore = (await stage.upstream.count()).plain;
    const closed = await saturate(pace.windowMs);
    const after = { own: await cpuMsWhenIdle(pid, signal), redis: readProcess(redisPid).cpuMs };
    const seen = (await stage.upstream.count()).plain - seenBefore;
    const { done, errors, firstError, perSecond, load } = closed;
    if (errors > 0) throw new Error(`${errors} of ${done + errors} calls: ${firstError}`);
    const expected = subject.isCached ? 0 : done;
    if (seen !== expected) throw new Error(`the upstream saw ${seen} of ${done} calls`);
    const arrivals = { ratePerSecond: RATE, durationMs: pace.openMs, seed: round + 1 };
    const open = await stage.generator.open({ target, watched, ...arrivals });
    return {
      cpuUsPerCall: ((after.own - before.own) * 1000) / done,
      redisUsPerCall: ((after.redis - before.redis) * 1000) / done,
      callsPerSecond: perSecond,
      ...latencyOf(open),
      subjectBusy: load.subjectBusy ?? 0,
    };
  } finally {
    await subject.stop();
  }
}

function latencyOf({ errors, done, firstError, latencyMs, lagMs }: OpenResult) {
  if (errors > 0) throw new Error(`${errors} of ${done + errors} calls: ${firstError}`);
  return { p50Ms: latencyMs.p50, p99Ms: latencyMs.p99, lagP99Ms: lagMs.p99 };
}

function tableOf(samples: Rounds<TierSample>['samples']): Table {
  const rows = measured.map(({ id, label }) => {
    const of = (value: (sample: TierSample) => number | null) =>
      summarise((samples.get(id) ?? []).map((sample) => sample && value(sample)));
    return [
      label,
      spread(
        of((sample) => sample.cpuUsPerCall),
        0,
      ),
      number(of((sample) => sample.redisUsPerCall)?.median ?? null, 0),
      spread(
        of((sample) => sample.callsPerSecond),
        0,
      ),
      number(of((sample) => sample.p50Ms)?.median ?? null, 2),
      number(of((sample) => sample.p99Ms)?.median ?? null, 2),
      number(of((sample) => sample.lagP99Ms)?.median ?? null, 2),
      percent(of((sample) => sample.subjectBusy)?.median ?? null),
    ];
  });
  const columns = ['an answer is', 'CPU µs/call', 'Redis µs/call', 'calls/s, one core'];
  return { columns: [...columns, 'p50 ms', 'p99 ms', 'generator late p99', 'core busy'], rows };
}
