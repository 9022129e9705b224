/**
 * Added latency: open-loop arrivals at half of what a subject can carry, minus the same arrivals
 * without a subject, in the same round. Half is taken of a saturation measured just before in
 * the same process. Which of the two comes first alternates by round.
 */
import type { Latencies, OpenResult } from '../actors/protocol.ts';
import { bars } from '../bars.ts';
import { type Summary, summarise } from '../measure/stats.ts';
import { number, spread, verdictOf } from '../report/format.ts';
import type { Variant, VariantId } from '../subjects/subject.ts';
import { variants } from '../subjects/variants.ts';
import { prepareTarget } from './calls.ts';
import { choose, type Rounds, runRounds } from './rounds.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

export interface LatencySample {
  readonly ratePerSecond: number;
  readonly subject: Latencies;
  readonly direct: Latencies;
  /** How late the generator sent calls, p99 of the worse of the two. */
  readonly lagP99Ms: number | null;
  readonly addedP50Ms: number | null;
  readonly addedP99Ms: number | null;
}

const CONNECTIONS = 64;
const SHARE_OF_SATURATION = 0.5;
/** A generator later than this at p99 disturbs the figures it is there to take. */
const LAG_MS = 1;

const all = [variants['pass-through'], variants.portkey, variants.ledger, variants['cache-hit']];
const references = new Set<VariantId>(['pass-through']);

export const latency: Scenario = {
  name: 'latency',
  steps: ({ pace, chosen }) => pace.longRounds * choose(all, chosen, references).length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const measured = choose(all, context.chosen, references);
  const { samples, notes, failures } = await runRounds(context, {
    name: 'latency',
    variants: measured,
    rounds: context.pace.longRounds,
    measure: (variant, round) => measureLatency(context, variant, round),
  });
  const added = (id: VariantId, key: 'addedP50Ms' | 'addedP99Ms') =>
    summaryOf(samples, id, (sample) => sample[key]);
  const verdict = (id: VariantId, what: string) => [
    verdictOf({
      what: `Added p50, ${what}`,
      figure: added(id, 'addedP50Ms')?.median ?? null,
      ...{ unit: 'ms', sense: 'at most', bar: bars.addedP50Ms },
    }),
    verdictOf({
      what: `Added p99, ${what}`,
      figure: added(id, 'addedP99Ms')?.median ?? null,
      ...{ unit: 'ms', sense: 'at most', bar: bars.addedP99Ms },
    }),
  ];
  return {
    scenario: 'latency',
    title: 'Added latency at half of saturation',
    method: 'Poisson arrivals fixed in advance; subject minus direct at the same rate',
    table: tableOf(samples, measured),
    verdicts: [...verdict('ledger', 'everything on'), ...verdict('cache-hit', 'cache hit')],
    notes: [...notes, ...lagNotes(samples, measured)],
    failures,
    samples: Object.fromEntries(samples),
  };
}

async function measureLatency(
  { stage, pace }: Context,
  variant: Variant,
  round: number,
): Promise<LatencySample> {
  const subject = await variant.start(stage);
  const base = await variants.direct.start(stage);
  try {
    const target = await prepareTarget(subject, 'plain');
    const directTarget = await prepareTarget(base, 'plain');
    const watched = { subject: subject.pid, upstream: stage.upstream.pid };
    const saturate = (durationMs: number) =>
      stage.generator.closed({ target, watched, connections: CONNECTIONS, durationMs });
    await saturate(pace.warmMs);
    const { perSecond, errors, firstError } = await saturate(pace.calibrateMs);
    if (errors > 0 || perSecond === 0) throw new Error(`calls went wrong: ${firstError}`);
    const arrivals = {
      ratePerSecond: perSecond * SHARE_OF_SATURATION,
      durationMs: pace.openMs,
      seed: round + 1,
    };
    const first = round % 2 === 0 ? target : directTarget;
    const second = round % 2 === 0 ? directTarget : target;
    const one = await stage.generator.open({ target: first, watched, ...arrivals });
    const other = await stage.generator.open({ target: second, watched, ...arrivals });
    const [through, direct] = first === target ? [one, other] : [other, one];
    return sampleOf(arrivals.ratePerSecond, through, direct);
  } finally {
    await subject.stop();
  }
}

function sampleOf(ratePerSecond: number, through: OpenResult, direct: OpenResult): LatencySample {
  for (const { errors, done, firstError } of [through, direct]) {
    if (errors > 0) throw new Error(`${errors} of ${done + errors} calls: ${firstError}`);
  }
  const difference = (key: 'p50' | 'p99') => {
    const [value, base] = [through.latencyMs[key], direct.latencyMs[key]];
    return value === null || base === null ? null : value - base;
  };
  return {
    ratePerSecond,
    subject: through.latencyMs,
    direct: direct.latencyMs,
    lagP99Ms: Math.max(through.lagMs.p99 ?? 0, direct.lagMs.p99 ?? 0),
    addedP50Ms: difference('p50'),
    addedP99Ms: difference('p99'),
  };
}

function tableOf(samples: Rounds<LatencySample>['samples'], measured: readonly Variant[]) {
  const columns = [
    'variant',
    'calls/s',
    'added p50 ms',
    'added p99 ms',
    'p50 ms',
    'p99 ms',
    'direct p99 ms',
  ];
  const rows = measured.map(({ id, label }) => {
    const of = (value: (sample: LatencySample) => number | null) => summaryOf(samples, id, value);
    return [
      label,
      number(of((sample) => sample.ratePerSecond)?.median ?? null, 0),
      spread(
        of((sample) => sample.addedP50Ms),
        2,
      ),
      spread(
        of((sample) => sample.addedP99Ms),
        2,
      ),
      number(of((sample) => sample.subject.p50)?.median ?? null, 2),
      number(of((sample) => sample.subject.p99)?.median ?? null, 2),
      number(of((sample) => sample.direct.p99)?.median ?? null, 2),
    ];
  });
  return { columns, rows };
}

function lagNotes(samples: Rounds<LatencySample>['samples'], measured: readonly Variant[]) {
  return measured.flatMap(({ id, label }) => {
    const lag = summaryOf(samples, id, (sample) => sample.lagP99Ms);
    if (lag === null || lag.median <= LAG_MS) return [];
    return [
      `${label}: the generator itself was ${number(lag.median, 2)} ms late at p99; ` +
        'the latencies hold that as well, on both sides of the difference.',
    ];
  });
}

function summaryOf(
  samples: Rounds<LatencySample>['samples'],
  id: VariantId,
  value: (sample: LatencySample) => number | null,
): Summary | null {
  return summarise((samples.get(id) ?? []).map((sample) => sample && value(sample)));
}
