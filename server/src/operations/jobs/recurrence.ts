/**
 * When a job that recurs is due next: at whole multiples of its interval since the epoch (UTC),
 * shifted by its offset, so that every process computes the same instants. What was missed
 * while nobody ran is done once, not once for each.
 */
export interface Recurrence {
  readonly everyMs: number;
  /** Shifts the instants: 3 h of a day is 03:00 UTC; none where left out. */
  readonly offsetMs?: number;
}

/** The first instant after `afterMs`. */
export function nextRunMs({ everyMs, offsetMs = 0 }: Recurrence, afterMs: number): number {
  return (Math.floor((afterMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs;
}
