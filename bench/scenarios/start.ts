/**
 * From the start of the process to the first `200` of `/health/ready`, on one core, with SQLite
 * and everything on. One start before the measured ones fills the compile cache. Measured twice:
 * on the data of an earlier start, and on an empty folder, where the tables are created too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bars } from '../bars.ts';
import { readProcess } from '../measure/proc.ts';
import { summarise } from '../measure/stats.ts';
import { spread, verdictOf } from '../report/format.ts';
import { launch } from '../subjects/esclusa.ts';
import { everything } from '../subjects/esclusa-profiles.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

interface StartSample {
  readonly readyMs: number;
  readonly rssMb: number;
}

export const start: Scenario = {
  name: 'start',
  steps: ({ pace }) => pace.rounds * 2,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const again: StartSample[] = [];
  const first: StartSample[] = [];
  const failures: string[] = [];
  try {
    await withFolder(context, (folder) => startOnce(context, folder));
    await withFolder(context, async (kept) => {
      await startOnce(context, kept);
      for (let round = 1; round <= context.pace.rounds && context.leftMs() > 0; round += 1) {
        context.step(`start, round ${round}: existing data`);
        again.push(await startOnce(context, kept));
        context.step(`start, round ${round}: empty folder`);
        first.push(await withFolder(context, (folder) => startOnce(context, folder)));
      }
    });
  } catch (error) {
    context.signal.throwIfAborted();
    failures.push(`Esclusa: ${error instanceof Error ? error.message : String(error)}`);
  }
  const ready = (samples: readonly StartSample[]) => summarise(samples.map((it) => it.readyMs));
  const rss = (samples: readonly StartSample[]) => summarise(samples.map((it) => it.rssMb));
  return {
    scenario: 'start',
    title: 'From start to ready',
    method: 'one core, compile cache warm, SQLite, everything on',
    table: {
      columns: ['start', 'ready after ms', 'RSS MB, idle'],
      rows: [
        ['on existing data', spread(ready(again), 0), spread(rss(again), 0)],
        ['on an empty folder', spread(ready(first), 0), spread(rss(first), 0)],
      ],
    },
    verdicts: [
      verdictOf({
        what: 'Start to ready',
        figure: ready(again)?.median ?? null,
        ...{ unit: 'ms', sense: 'at most', bar: bars.startMs },
      }),
    ],
    notes: [],
    failures,
    samples: { again, first },
  };
}

async function startOnce({ stage }: Context, dataDir: string): Promise<StartSample> {
  const { child, readyMs } = await launch(stage, everything, dataDir);
  try {
    return { readyMs, rssMb: readProcess(child.pid).rssMb };
  } finally {
    await child.stop();
  }
}

async function withFolder<Result>(
  { stage }: Context,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(stage.scratch, 'data-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
