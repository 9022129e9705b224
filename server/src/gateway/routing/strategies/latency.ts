/**
 * By speed: of two targets that are drawn the one that will likely answer sooner comes first
 * (power of two choices), the others follow, the quickest first. What counts is the expected
 * time to the first piece, times the calls that would wait for it with this one.
 *
 * Two and not all are compared, so that many processes do not all run to the same target at
 * once. A target nothing is known of is tried by one call at a time.
 */
import type { Target } from '../../model/target.ts';
import type { StrategyInput, TargetFigures } from './strategy.ts';

interface Ranked {
  readonly target: Target;
  /** Milliseconds, times the calls that wait. */
  readonly wait: number;
  readonly waiting: number;
}

export function latency({ targets, facts, random, figures }: StrategyInput): readonly Target[] {
  const { stream } = facts.request;
  const ranked = targets.map((target) => rank(target, stream, figures)).sort(bySpeed);
  if (ranked.length > 2) {
    const one = Math.floor(random.float() * ranked.length);
    const other = Math.floor(random.float() * (ranked.length - 1));
    const quicker = Math.min(one, other < one ? other : other + 1);
    ranked.unshift(...ranked.splice(quicker, 1));
  }
  return ranked.map(({ target }) => target);
}

function rank(target: Target, stream: boolean, figures: TargetFigures): Ranked {
  const expectedMs = figures.expectedMs(target, stream);
  const waiting = figures.waiting(target, stream);
  const untried = waiting === 0 ? 0 : Infinity;
  return { target, waiting, wait: expectedMs === null ? untried : expectedMs * (waiting + 1) };
}

/** Those that are equal keep the order of the configuration. */
function bySpeed(a: Ranked, b: Ranked): number {
  return a.wait === b.wait ? a.waiting - b.waiting : a.wait - b.wait;
}
