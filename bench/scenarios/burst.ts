/**
 * Streams whose chunks all come at once: what a chunk costs when nothing waits. Not part of a run
 * unless it is asked for by name.
 */

import type { VariantId } from '../subjects/subject.ts';
import { variants } from '../subjects/variants.ts';
import { choose, runRounds } from './rounds.ts';
import { measureSaturation } from './saturation.ts';
import { saturationNotes, saturationTable } from './saturation-report.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

const CHUNKS = 20;

const all = [variants['pass-through'], variants.portkey, variants.ledger];
const references = new Set<VariantId>(['pass-through']);

export const burst: Scenario = {
  name: 'burst',
  steps: ({ pace, chosen }) => pace.longRounds * choose(all, chosen, references).length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const measured = choose(all, context.chosen, references);
  await context.stage.upstream.configure({ chunks: CHUNKS, chunkIntervalMs: 0 });
  const { samples, notes, failures } = await runRounds(context, {
    name: 'burst',
    variants: measured,
    rounds: context.pace.longRounds,
    measure: (variant) => measureSaturation(context, variant, 'stream'),
  });
  return {
    scenario: 'burst',
    title: 'A stream whose chunks come at once',
    method: `64 streams of ${CHUNKS} chunks in flight, no time between chunks`,
    table: saturationTable(samples, measured, 'stream'),
    verdicts: [],
    notes: [...notes, ...saturationNotes(samples, measured)],
    failures,
    samples: Object.fromEntries(samples),
  };
}
