/** Numbers and verdicts as text. A figure that is not there is a dash, never a zero. */
import type { Summary } from '../measure/stats.ts';
import type { Verdict } from '../scenarios/scenario.ts';

export const NO_FIGURE = '–';

export function number(value: number | null, digits: number): string {
  if (value === null) return NO_FIGURE;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** The median, and where several rounds differ the range they span. */
export function spread(summary: Summary | null, digits: number): string {
  if (summary === null) return NO_FIGURE;
  const middle = number(summary.median, digits);
  if (summary.raw.length === 1) return middle;
  return `${middle} (${number(summary.min, digits)}–${number(summary.max, digits)})`;
}

export function percent(share: number | null): string {
  return share === null ? NO_FIGURE : `${Math.round(share * 100)} %`;
}

export function verdictOf(verdict: Omit<Verdict, 'isMet'>): Verdict {
  const { figure, bar, sense } = verdict;
  const isMet = figure === null ? null : sense === 'at most' ? figure <= bar : figure >= bar;
  return { ...verdict, isMet };
}

/** One row per bar: what, the figure, the bar, met or not met. */
export function verdictRow({ what, figure, unit, sense, bar, isMet }: Verdict): readonly string[] {
  const digits = Math.abs(figure ?? 0) < 100 ? 2 : 0;
  const amount = figure === null ? NO_FIGURE : `${number(figure, digits)} ${unit}`.trimEnd();
  const limit = `${sense === 'at most' ? '≤' : '≥'} ${bar} ${unit}`.trimEnd();
  return [what, amount, limit, isMet === null ? 'no figure' : isMet ? 'met' : 'not met'];
}

export const VERDICT_COLUMNS = ['Against the bars', 'figure', 'bar', ''] as const;
