/** What a scenario is, and what it comes to. */
import type { Table } from '../bench/scenarios/scenario.ts';

export interface Outcome {
  readonly table: Table;
  readonly isMet: boolean;
  /** Everything that was measured, for the file. */
  readonly raw: object;
}

export interface Scenario {
  /** Parts that can be asked for by themselves; empty: there are none. */
  readonly parts: readonly string[];
  /** Measures these parts; `say` is told how far it is. */
  run(parts: readonly string[], say: (progress: string) => void): Promise<Outcome>;
}

export interface Figures {
  readonly figures: Readonly<Record<string, number | string>>;
  readonly isMet: boolean;
}

/** A scenario that is one measurement and comes to one list of figures. */
export function ofFigures(
  measure: (say: (progress: string) => void) => Promise<Figures>,
): Scenario {
  return {
    parts: [],
    async run(_parts, say) {
      const { figures, isMet } = await measure(say);
      const rows = Object.entries(figures).map(([name, value]) => [name, String(value)]);
      return { table: { columns: ['figure', 'value'], rows }, isMet, raw: { figures } };
    },
  };
}
