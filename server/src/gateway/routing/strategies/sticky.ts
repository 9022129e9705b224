/**
 * Keeps requests with the same label at the same target: weighted rendezvous hashing. Each
 * target draws a number from the label and its own name, the weight raises it, the highest
 * wins and the rest follow in the order of their numbers.
 *
 * 1. The order depends on the label, the alias and the targets alone: every process, now and
 *    after a restart, finds the same.
 * 2. A target that goes away moves its own labels only; one whose weight rises takes labels
 *    from the others and moves none between them.
 */
import { hash } from 'node:crypto';
import type { StickyBy } from '../../model/condition.ts';
import type { Target } from '../../model/target.ts';
import type { RequestFacts } from '../facts.ts';

const HASH_RANGE = 2 ** 48;

/** The request's label; null where it carries none. */
export function stickyValue(sticky: StickyBy, facts: RequestFacts): string | null {
  switch (sticky.kind) {
    case 'header':
      return facts.header(sticky.name);
    case 'metadata':
      return facts.metadata(sticky.name);
    default:
      return facts[sticky.kind];
  }
}

export function inStickyOrder(
  targets: readonly Target[],
  name: string,
  value: string,
): readonly Target[] {
  const ranked = targets.map((target) => ({ target, rank: rankOf(target, name, value) }));
  return ranked.sort((a, b) => compare(b.rank, a.rank)).map(({ target }) => target);
}

/** Two without a weight are equal, and infinities have no difference. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** At most 0; without a weight below all that have one. */
function rankOf({ id, weight }: Target, name: string, value: string): number {
  if (weight === 0) return Number.NEGATIVE_INFINITY;
  const digest = hash('sha256', JSON.stringify([name, id, value]), 'buffer');
  const unit = (digest.readUIntBE(0, 6) + 0.5) / HASH_RANGE;
  return Math.log(unit) / weight;
}
