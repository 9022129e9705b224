/**
 * The statistics of the benchmark: percentile, median, ratio, spread. Pure functions over
 * finite numbers; a figure that cannot be computed is null, never zero.
 */

/** Lowest and highest of the raw values behind a median. */
export interface Spread {
  readonly min: number;
  readonly max: number;
}

/** A median with the raw values it was taken from, in the order of the rounds. */
export interface Summary extends Spread {
  readonly median: number;
  readonly raw: readonly number[];
}

/**
 * Returns the nearest-rank percentile: the smallest value with at least `percent` % of all
 * values at or below it. `sorted` is ascending; null where it is empty.
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number | null {
  if (!(percent > 0 && percent <= 100)) throw new RangeError('percent must be in (0, 100]');
  // The product is rounded first: 0.07 * 100 is 7.000000000000001 and would be one rank too high.
  const rank = Math.ceil(Number(((percent / 100) * sorted.length).toPrecision(12)));
  return sorted[Math.max(rank, 1) - 1] ?? null;
}

/** Returns the middle value, or the mean of the two middle values; null where there is none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

/** Returns `part / whole`; null where either is missing or the division says nothing. */
export function ratio(part: number | null, whole: number | null): number | null {
  if (part === null || whole === null || whole === 0) return null;
  const result = part / whole;
  return Number.isFinite(result) ? result : null;
}

/** Summarises one value per round; rounds without a value are left out. Null where none is left. */
export function summarise(values: readonly (number | null)[]): Summary | null {
  const raw = values.filter((value) => value !== null);
  const middle = median(raw);
  if (middle === null) return null;
  return { median: middle, min: Math.min(...raw), max: Math.max(...raw), raw };
}

/**
 * Divides round by round, then summarises: what slowed a whole round down touched both sides.
 * A round that one side is missing is left out.
 */
export function pairedRatio(
  parts: readonly (number | null)[],
  wholes: readonly (number | null)[],
): Summary | null {
  return summarise(parts.map((part, round) => ratio(part, wholes[round] ?? null)));
}

/** Subtracts round by round, then summarises. A round that one side is missing is left out. */
export function pairedDifference(
  values: readonly (number | null)[],
  bases: readonly (number | null)[],
): Summary | null {
  return summarise(
    values.map((value, round) => {
      const base = bases[round] ?? null;
      return value === null || base === null ? null : value - base;
    }),
  );
}
