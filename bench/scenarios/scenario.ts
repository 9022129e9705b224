/** What a scenario is given and what it hands back. */
import type { Machine } from '../measure/machine.ts';
import type { Stage } from '../stage.ts';
import type { VariantId } from '../subjects/subject.ts';

export type ScenarioName =
  | 'miss'
  | 'cache'
  | 'tiers'
  | 'compression'
  | 'flights'
  | 'engines'
  | 'latency'
  | 'stream'
  | 'burst'
  | 'start';

/** Durations and counts of one run; the quick ones are enough to see that everything works. */
export interface Pace {
  readonly rounds: number;
  /** Rounds of the scenarios whose single round takes longest. */
  readonly longRounds: number;
  readonly warmMs: number;
  readonly windowMs: number;
  readonly calibrateMs: number;
  readonly openMs: number;
  readonly streamMs: number;
  readonly streamChunks: number;
}

export interface Context {
  readonly stage: Stage;
  readonly pace: Pace;
  /** Variants to measure beside those a scenario compares with; null for all. */
  readonly chosen: ReadonlySet<VariantId> | null;
  readonly signal: AbortSignal;
  /** Says that a measurement begins, before `count` more of them. */
  step(what: string): void;
  /** Milliseconds left for the whole run. */
  leftMs(): number;
}

/** A figure beside its bar. */
export interface Verdict {
  readonly what: string;
  readonly figure: number | null;
  readonly unit: string;
  readonly sense: 'at most' | 'at least';
  readonly bar: number;
  /** null where there is no figure. */
  readonly isMet: boolean | null;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Outcome {
  readonly scenario: ScenarioName;
  readonly title: string;
  readonly method: string;
  readonly table: Table;
  readonly verdicts: readonly Verdict[];
  /** What a reader must know to trust or doubt these figures. */
  readonly notes: readonly string[];
  /** Variants that could not be measured although they should have been, and why. */
  readonly failures: readonly string[];
  /** Raw values by variant, one per round. */
  readonly samples: Readonly<Record<string, readonly unknown[]>>;
}

export interface Report extends Outcome {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly pace: Pace;
}

export interface Scenario {
  readonly name: ScenarioName;
  /** Measurements in a run, for the progress bar. */
  steps(context: Pick<Context, 'pace' | 'chosen'>): number;
  run(context: Context): Promise<Outcome>;
}
