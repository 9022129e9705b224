/**
 * What a strategy is: a pure way to put the targets that can be called now in order. It never
 * leaves one out, so that every order is also the order of failover.
 */
import type { Random } from '../../../kernel/random.ts';
import type { StickyBy } from '../../model/condition.ts';
import type { Target } from '../../model/target.ts';
import type { RequestFacts } from '../facts.ts';

/** What strategies may know of targets; reading changes nothing. */
export interface TargetFigures {
  /** Milliseconds to the first piece of an answer; null where nothing was ever seen. */
  expectedMs(target: Target, stream: boolean): number | null;
  /** Calls of this process that wait for their first piece now. */
  waiting(target: Target, stream: boolean): number;
  /** The share of the provider's places that are taken, from 0 to 1. */
  load(target: Target): number;
  /** What the request will likely cost, in nano-dollars; null where there is no price. */
  expectedNanousd(target: Target, facts: RequestFacts): number | null;
}

export interface StrategyInput {
  /** At least two, in the order of the configuration. */
  readonly targets: readonly Target[];
  /** Of the alias: the same in every process. */
  readonly name: string;
  readonly sticky: StickyBy | undefined;
  readonly facts: RequestFacts;
  readonly random: Random;
  readonly figures: TargetFigures;
}

export type Strategy = (input: StrategyInput) => readonly Target[];
