/**
 * By room: the target whose provider has the smallest share of its places taken comes first,
 * the others follow in the same way. Those that are equal take turns by chance, so that an idle
 * gateway, or several processes, do not all begin with the first of the list.
 */
import type { Target } from '../../model/target.ts';
import type { StrategyInput } from './strategy.ts';

export function leastBusy({ targets, random, figures }: StrategyInput): readonly Target[] {
  const start = Math.floor(random.float() * targets.length);
  const turned = [...targets.slice(start), ...targets.slice(0, start)];
  const loaded = turned.map((target) => ({ target, load: figures.load(target) }));
  return loaded.sort((a, b) => a.load - b.load).map(({ target }) => target);
}
