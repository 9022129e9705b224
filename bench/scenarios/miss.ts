/** Plain calls that no cache can answer: what each layer costs, beside the references. */
import { bars } from '../bars.ts';
import { verdictOf } from '../report/format.ts';
import type { VariantId } from '../subjects/subject.ts';
import { variants } from '../subjects/variants.ts';
import { choose, runRounds } from './rounds.ts';
import { measureSaturation } from './saturation.ts';
import { cpuRatio, saturationNotes, saturationTable, summariseBy } from './saturation-report.ts';
import type { Context, Outcome, Scenario } from './scenario.ts';

const all = [
  variants['pass-through'],
  variants.portkey,
  variants['proxy-only'],
  variants['auth-limits'],
  variants.ledger,
];
const references = new Set<VariantId>(['pass-through']);

export const miss: Scenario = {
  name: 'miss',
  steps: ({ pace, chosen }) => pace.rounds * choose(all, chosen, references).length,
  run,
};

async function run(context: Context): Promise<Outcome> {
  const measured = choose(all, context.chosen, references);
  const { samples, notes, failures } = await runRounds(context, {
    name: 'miss',
    variants: measured,
    rounds: context.pace.rounds,
    measure: (variant) => measureSaturation(context, variant, 'plain'),
  });
  return {
    scenario: 'miss',
    title: 'A plain call that misses the cache',
    method: '64 calls of 1 KB in flight, answers of 1 KB; median (lowest–highest) of the rounds',
    table: saturationTable(samples, measured, 'call'),
    verdicts: [
      verdictOf({
        what: 'CPU, everything on, × pass-through',
        figure: cpuRatio(samples, 'ledger', 'pass-through')?.median ?? null,
        ...{ unit: '', sense: 'at most', bar: bars.missRatio },
      }),
      verdictOf({
        what: 'CPU of Portkey, × everything on',
        figure: cpuRatio(samples, 'portkey', 'ledger')?.median ?? null,
        ...{ unit: '', sense: 'at least', bar: bars.portkeyFactor },
      }),
      verdictOf({
        what: 'RSS at load, everything on, 32 MB cache',
        figure: summariseBy(samples, 'ledger', (sample) => sample.rssMb)?.median ?? null,
        ...{ unit: 'MB', sense: 'at most', bar: bars.rssMb },
      }),
    ],
    notes: [...notes, ...saturationNotes(samples, measured)],
    failures,
    samples: Object.fromEntries(samples),
  };
}
