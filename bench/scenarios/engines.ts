/**
 * What growing costs: the same call on a file and memory, and on PostgreSQL and Redis. CPU is
 * the gateway's alone, of all its threads, as in the other scenarios. Beside it what a pool of
 * connections is worth: lists of the control plane, which read the database each time, one
 * after the other and fifty at once.
 */
import { request } from 'undici';
import { bars } from '../bars.ts';
import { median, pairedRatio, type Summary, summarise } from '../measure/stats.ts';
import { number, spread, verdictOf } from '../report/format.ts';
import {
  type EngineSubject,
  type EngineVariant,
  engines as subjects,
} from '../subjects/engines.ts';
import type { EngineId } from '../subjects/subject.ts';
import { runRounds } from './rounds.ts';
import { measureSaturation, type SaturationSample } from './saturation.ts';
import type { Context, Outcome, Scenario, Table } from './scenario.ts';

interface EngineSample extends SaturationSample {
  /** Of lists one after the other. */
  readonly listMs: number;
  /** Of lists with fifty under way. */
  readonly listsPerSecond: number;
}

type Samples = ReadonlyMap<string, readonly (EngineSample | null)[]>;

const ORDER: readonly EngineId[] = ['file', 'shared', 'unpooled'];
const measured: readonly EngineVariant[] = ORDER.map((id) => subjects[id]);
const ALONE = 30;
const TOGETHER = 50;

export const engines: Scenario = {
  name: 'engines',
  steps: ({ pace }) => pace.longRounds * measured.length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const { samples, notes, failures } = await runRounds<EngineSample>(context, {
    name: 'engines',
    variants: measured,
    rounds: context.pace.longRounds,
    measure: (variant) => measureEngine(context, variant as EngineVariant),
  });
  const ratio = (part: EngineId, whole: EngineId, of: (sample: EngineSample) => number) =>
    pairedRatio(valuesOf(samples, part, of), valuesOf(samples, whole, of));
  const saved = ratio('shared', 'unpooled', ({ listMs }) => listMs);
  return {
    scenario: 'engines',
    title: 'On a file and memory, on PostgreSQL and Redis, with and without a pool',
    method:
      '64 calls of 1 KB in flight that no cache may answer, with limits, budget and ledger; ' +
      `lists of keys one after the other, and ${TOGETHER} at once`,
    table: tableOf(samples),
    verdicts: [
      verdictOf({
        what: 'CPU per call, PostgreSQL and Redis, × SQLite and memory',
        figure: ratio('shared', 'file', ({ cpuUsPerCall }) => cpuUsPerCall)?.median ?? null,
        ...{ unit: '', sense: 'at most', bar: bars.engineRatio },
      }),
      verdictOf({
        what: 'Time of a list that the pool saves',
        figure: saved === null ? null : (1 - saved.median) * 100,
        ...{ unit: '%', sense: 'at least', bar: bars.poolSavedPercent },
      }),
      verdictOf({
        what: `Lists a second, ${TOGETHER} at once, with the pool, × without`,
        figure: ratio('shared', 'unpooled', (sample) => sample.listsPerSecond)?.median ?? null,
        ...{ unit: '', sense: 'at least', bar: bars.poolFactor },
      }),
    ],
    notes,
    failures,
    samples: Object.fromEntries(samples),
  };
}

async function measureEngine(context: Context, variant: EngineVariant): Promise<EngineSample> {
  let lists: Pick<EngineSample, 'listMs' | 'listsPerSecond'> | null = null;
  const sample = await measureSaturation(
    context,
    {
      ...variant,
      // Behind the calls, before the process ends.
      async start(stage) {
        const subject = await variant.start(stage);
        return {
          ...subject,
          async stop() {
            lists = await measureLists(subject, context.pace.openMs).finally(() => subject.stop());
          },
        };
      },
    },
    'plain',
  );
  if (lists === null) throw new Error('the control plane was not measured');
  return { ...sample, ...(lists as Pick<EngineSample, 'listMs' | 'listsPerSecond'>) };
}

async function measureLists({ origin, adminKey }: EngineSubject, windowMs: number) {
  const list = async (): Promise<number> => {
    const startedMs = performance.now();
    const headers = { authorization: `Bearer ${adminKey}` };
    const { statusCode, body } = await request(`${origin}/api/v1/keys`, { headers });
    await body.dump();
    if (statusCode !== 200) throw new Error(`a list was answered with ${statusCode}`);
    return performance.now() - startedMs;
  };
  const alone: number[] = [];
  for (let nth = 0; nth < ALONE; nth += 1) alone.push(await list());
  const endMs = performance.now() + windowMs;
  let done = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await list();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, loop));
  return { listMs: median(alone) ?? 0, listsPerSecond: (done * 1000) / windowMs };
}

function tableOf(samples: Samples): Table {
  const summary = (id: EngineId, of: (sample: EngineSample) => number): Summary | null =>
    summarise(valuesOf(samples, id, of));
  const rows = measured.map(({ id, label }) => {
    const cpu = (of: EngineId) => valuesOf(samples, of, (sample) => sample.cpuUsPerCall);
    return [
      label,
      spread(
        summary(id, (sample) => sample.cpuUsPerCall),
        1,
      ),
      id === 'file' ? '1' : spread(pairedRatio(cpu(id), cpu('file')), 2),
      spread(
        summary(id, (sample) => sample.callsPerSecond),
        0,
      ),
      spread(
        summary(id, (sample) => sample.rssMb),
        0,
      ),
      number(summary(id, (sample) => sample.listMs)?.median ?? null, 2),
      spread(
        summary(id, (sample) => sample.listsPerSecond),
        0,
      ),
    ];
  });
  const columns = ['on', 'CPU µs/call', '× the file', 'calls/s, one core', 'RSS MB'];
  return { columns: [...columns, 'a list, ms', `lists/s, ${TOGETHER} at once`], rows };
}

function valuesOf(
  samples: Samples,
  id: EngineId,
  value: (sample: EngineSample) => number,
): (number | null)[] {
  return (samples.get(id) ?? []).map((sample) => (sample === null ? null : value(sample)));
}
