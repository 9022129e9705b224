/** Plain calls answered from the cache, beside a bare pass-through that asks the upstream. */
import { bars } from '../bars.ts';
import { verdictOf } from '../report/format.ts';
import type { VariantId } from '../subjects/subject.ts';
import { variants } from '../subjects/variants.ts';
import { choose, runRounds } from './rounds.ts';
import { measureSaturation } from './saturation.ts';
import { cpuRatio, saturationNotes, saturationTable } from './saturation-report.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

const all = [variants['pass-through'], variants['cache-hit']];
const references = new Set<VariantId>(['pass-through']);

export const cache: Scenario = {
  name: 'cache',
  steps: ({ pace, chosen }) => pace.rounds * choose(all, chosen, references).length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const measured = choose(all, context.chosen, references);
  const { samples, notes, failures } = await runRounds(context, {
    name: 'cache',
    variants: measured,
    rounds: context.pace.rounds,
    measure: (variant) => measureSaturation(context, variant, 'plain'),
  });
  return {
    scenario: 'cache',
    title: 'A plain call answered from the cache',
    method: '64 equal calls of 1 KB in flight; the upstream sees none of them',
    table: saturationTable(samples, measured, 'call'),
    verdicts: [
      verdictOf({
        what: 'CPU of a hit, everything on, × pass-through',
        figure: cpuRatio(samples, 'cache-hit', 'pass-through')?.median ?? null,
        ...{ unit: '', sense: 'at most', bar: bars.hitRatio },
      }),
    ],
    notes: [...notes, ...saturationNotes(samples, measured)],
    failures,
    samples: Object.fromEntries(samples),
  };
}
