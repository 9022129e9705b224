/** Figures of what was asked in stretches of time. */
import type { Asked } from './load.ts';

/** On the clock of `performance`. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Figures {
  readonly count: number;
  readonly failed: number;
  readonly wrong: number;
  readonly hits: number;
  readonly p99Ms: number;
  readonly streamP99Ms: number;
}

export function figuresOf(asked: readonly Asked[]): Figures {
  return {
    count: asked.length,
    failed: asked.filter(({ failure }) => failure !== null).length,
    wrong: asked.filter(({ isWrong }) => isWrong).length,
    hits: asked.filter(({ cache }) => cache === 'HIT').length,
    p99Ms: p99(asked),
    streamP99Ms: p99(asked.filter(({ stream }) => stream)),
  };
}

/** What was due in any of them. */
export function within(asked: readonly Asked[], stretches: readonly Stretch[]): readonly Asked[] {
  return asked.filter(({ atMs }) =>
    stretches.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs),
  );
}

/** The nearest rank, in milliseconds with one decimal; 0 where nothing was asked. */
function p99(asked: readonly Asked[]): number {
  const sorted = asked.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const at = Math.ceil(sorted.length * 0.99) - 1;
  return Number((sorted[at] ?? 0).toFixed(1));
}
