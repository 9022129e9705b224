/**
 * By price: the target at which this request will likely cost least comes first. The rule: its
 * input as estimated from its bytes, its output as far as `max_tokens` and the usual length of
 * an answer go, each at the target's price. Targets without a price come last; those that are
 * equal keep the order of the configuration.
 */
import type { Target } from '../../model/target.ts';
import type { StrategyInput } from './strategy.ts';

export function cost({ targets, facts, figures }: StrategyInput): readonly Target[] {
  const priced = targets.map((target) => ({
    target,
    nanousd: figures.expectedNanousd(target, facts) ?? Infinity,
  }));
  return priced.sort((a, b) => compare(a.nanousd, b.nanousd)).map(({ target }) => target);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
