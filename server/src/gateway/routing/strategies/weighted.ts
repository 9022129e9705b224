/**
 * By weight: the first target is drawn, so that each gets its share of requests; the others
 * follow, the heaviest first. A weight of 0 is never drawn and stands in when the others fail.
 *
 * Where the route is sticky and the request carries the label, nothing is drawn: the label
 * decides (`sticky.ts`), with the same shares.
 */
import type { Random } from '../../../kernel/random.ts';
import type { Target } from '../../model/target.ts';
import { inStickyOrder, stickyValue } from './sticky.ts';
import type { StrategyInput } from './strategy.ts';

export function weighted({
  targets,
  name,
  sticky,
  facts,
  random,
}: StrategyInput): readonly Target[] {
  const value = sticky === undefined ? null : stickyValue(sticky, facts);
  return value === null ? drawn(targets, random) : inStickyOrder(targets, name, value);
}

function drawn(targets: readonly Target[], random: Random): readonly Target[] {
  const order = targets.toSorted((a, b) => b.weight - a.weight);
  let total = 0;
  for (const target of order) total += target.weight;
  let left = random.float() * total;
  const first = order.findIndex((target) => {
    left -= target.weight;
    return left < 0;
  });
  if (first > 0) order.unshift(...order.splice(first, 1));
  return order;
}
