/**
 * Streams at their natural pace: 500 at a time, 20 chunks a second each. Time to the first chunk
 * and the jitter of the chunks, as the difference from the same streams without a subject in the
 * same round; and what a forwarded chunk costs.
 */
import type { StreamResult } from '../actors/protocol.ts';
import { bars } from '../bars.ts';
import { pairedDifference, pairedRatio, type Summary, summarise } from '../measure/stats.ts';
import { number, spread, verdictOf } from '../report/format.ts';
import type { Variant, VariantId } from '../subjects/subject.ts';
import { variants } from '../subjects/variants.ts';
import { prepareTarget } from './calls.ts';
import { choose, type Rounds, runRounds } from './rounds.ts';
import type { Context, Outcome, Scenario, Table } from './scenario.ts';

export interface StreamSample {
  readonly firstChunkP50Ms: number | null;
  readonly firstChunkP99Ms: number | null;
  readonly jitterP50Ms: number | null;
  readonly jitterP99Ms: number | null;
  readonly cpuUsPerChunk: number | null;
  readonly concurrentMean: number;
  readonly chunks: number;
  readonly rssMb: number | null;
}

type Samples = Rounds<StreamSample>['samples'];
type Value = (sample: StreamSample) => number | null;

const CONCURRENT = 500;
const CHUNK_INTERVAL_MS = 50;

const firstChunkP99: Value = (sample) => sample.firstChunkP99Ms;
const jitterP99: Value = (sample) => sample.jitterP99Ms;
const cpu: Value = (sample) => sample.cpuUsPerChunk;

const all = [variants.direct, variants['pass-through'], variants.portkey, variants.ledger];
const references = new Set<VariantId>(['direct', 'pass-through']);

export const stream: Scenario = {
  name: 'stream',
  steps: ({ pace, chosen }) => pace.longRounds * choose(all, chosen, references).length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const { stage, pace, chosen } = context;
  const measured = choose(all, chosen, references);
  await stage.upstream.configure({
    chunks: pace.streamChunks,
    chunkIntervalMs: CHUNK_INTERVAL_MS,
  });
  const { samples, notes, failures } = await runRounds(context, {
    name: 'stream',
    variants: measured,
    rounds: pace.longRounds,
    measure: (variant) => measureStreams(context, variant),
  });
  return {
    scenario: 'stream',
    title: `${CONCURRENT} streams at 20 chunks a second`,
    method: 'streams begin at fixed times; jitter is |gap between chunks − 50 ms|',
    table: tableOf(samples, measured),
    verdicts: [
      verdictOf({
        what: 'Added time to first chunk p99, everything on',
        figure: addedTo(samples, 'ledger', firstChunkP99)?.median ?? null,
        ...{ unit: 'ms', sense: 'at most', bar: bars.firstChunkP99Ms },
      }),
      verdictOf({
        what: 'Added chunk jitter p99, everything on',
        figure: addedTo(samples, 'ledger', jitterP99)?.median ?? null,
        ...{ unit: 'ms', sense: 'at most', bar: bars.jitterP99Ms },
      }),
    ],
    notes,
    failures,
    samples: Object.fromEntries(samples),
  };
}

async function measureStreams({ stage, pace }: Context, variant: Variant): Promise<StreamSample> {
  const subject = await variant.start(stage);
  try {
    const target = await prepareTarget(subject, 'stream');
    const result = await stage.generator.streams({
      target,
      watched: { subject: subject.pid, upstream: stage.upstream.pid },
      concurrent: CONCURRENT,
      chunks: pace.streamChunks,
      chunkIntervalMs: CHUNK_INTERVAL_MS,
      durationMs: pace.streamMs,
    });
    return sampleOf(result);
  } finally {
    await subject.stop();
  }
}

function sampleOf(result: StreamResult): StreamSample {
  const { firstChunkMs, jitterMs, load, errors, done, firstError } = result;
  if (errors > 0) throw new Error(`${errors} of ${done + errors} streams: ${firstError}`);
  if (result.chunksSeen === 0) throw new Error('no chunk arrived');
  const cpuMs = load.subjectCpuMs;
  return {
    firstChunkP50Ms: firstChunkMs.p50,
    firstChunkP99Ms: firstChunkMs.p99,
    jitterP50Ms: jitterMs.p50,
    jitterP99Ms: jitterMs.p99,
    cpuUsPerChunk: cpuMs === null ? null : (cpuMs * 1000) / result.chunksSeen,
    concurrentMean: result.concurrentMean,
    chunks: result.chunksSeen,
    rssMb: load.rssMb,
  };
}

function tableOf(samples: Samples, measured: readonly Variant[]): Table {
  const columns = [
    'variant',
    'added first chunk p99 ms',
    'added jitter p99 ms',
    'first chunk p99 ms',
    'jitter p99 ms',
    'CPU µs/chunk',
    '× pass-through',
    'streams',
  ];
  const rows = measured.map(({ id, label }) => [
    label,
    id === 'direct' ? '0' : spread(addedTo(samples, id, firstChunkP99), 2),
    id === 'direct' ? '0' : spread(addedTo(samples, id, jitterP99), 2),
    number(summarise(valuesOf(samples, id, firstChunkP99))?.median ?? null, 2),
    number(summarise(valuesOf(samples, id, jitterP99))?.median ?? null, 2),
    spread(summarise(valuesOf(samples, id, cpu)), 1),
    spread(pairedRatio(valuesOf(samples, id, cpu), valuesOf(samples, 'pass-through', cpu)), 2),
    number(summarise(valuesOf(samples, id, (it) => it.concurrentMean))?.median ?? null, 0),
  ]);
  return { columns, rows };
}

function addedTo(samples: Samples, id: VariantId, value: Value): Summary | null {
  return pairedDifference(valuesOf(samples, id, value), valuesOf(samples, 'direct', value));
}

function valuesOf(samples: Samples, id: VariantId, value: Value): (number | null)[] {
  return (samples.get(id) ?? []).map((sample) => sample && value(sample));
}
