/**
 * The order of measurement: each round measures every variant in a fresh process, every second
 * round in the opposite order, so that a drift of the machine falls on all of them alike. A
 * variant that fails is left out from then on and the reason is noted; rounds stop early, whole,
 * when the time of the run is up.
 */
import { Unavailable, type Variant, type VariantId } from '../subjects/subject.ts';
import type { Context } from './scenario.ts';

export interface Rounds<Sample> {
  /** One sample per round; null in the rounds for which there is none. */
  readonly samples: ReadonlyMap<VariantId, readonly (Sample | null)[]>;
  readonly notes: readonly string[];
  readonly failures: readonly string[];
}

export interface RoundsOptions<Sample> {
  readonly name: string;
  readonly variants: readonly Variant[];
  readonly rounds: number;
  readonly measure: (variant: Variant, round: number) => Promise<Sample>;
}

export async function runRounds<Sample>(
  context: Context,
  { name, variants, rounds, measure }: RoundsOptions<Sample>,
): Promise<Rounds<Sample>> {
  const samples = new Map<VariantId, (Sample | null)[]>(variants.map(({ id }) => [id, []]));
  const notes: string[] = [];
  const failures: string[] = [];
  const failed = new Set<VariantId>();
  const measureOnce = async (variant: Variant, round: number) => {
    context.signal.throwIfAborted();
    try {
      return await measure(variant, round);
    } catch (error) {
      // A run that is being stopped is no failure of the variant at hand.
      context.signal.throwIfAborted();
      failed.add(variant.id);
      const list = error instanceof Unavailable ? notes : failures;
      list.push(`${variant.label}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  let longestRoundMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    if (longestRoundMs > context.leftMs()) {
      notes.push(`Stopped after ${round} of ${rounds} rounds: the time of the run was up.`);
      break;
    }
    const startedMs = performance.now();
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      context.step(`${name}, round ${round + 1}: ${variant.label}`);
      const sample = failed.has(variant.id) ? null : await measureOnce(variant, round);
      samples.get(variant.id)?.push(sample);
    }
    longestRoundMs = Math.max(longestRoundMs, performance.now() - startedMs);
  }
  return { samples, notes, failures };
}

/** The variants of a scenario that were asked for; `always` are those it compares with. */
export function choose(
  variants: readonly Variant[],
  chosen: ReadonlySet<VariantId> | null,
  always: ReadonlySet<VariantId>,
): readonly Variant[] {
  return variants.filter(({ id }) => chosen === null || always.has(id) || chosen.has(id));
}
