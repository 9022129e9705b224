/**
 * Points in time as people type them: `2026-11-20`, `2026-11-20T09:00:00Z`, or a distance back
 * from now: `90m`, `24h`, `7d`.
 */

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds since the epoch; null where it is none of these. */
export function parseInstant(text: string, nowMs: number): number | null {
  const distance = /^(\d{1,5})([mhd])$/.exec(text);
  if (distance !== null) return nowMs - Number(distance[1]) * (UNIT_MS[distance[2] ?? ''] ?? 0);
  if (!DATE.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || !isOnCalendar(text) ? null : ms;
}

/** The runtime takes 30 February for 2 March. */
function isOnCalendar(text: string): boolean {
  const date = text.slice(0, 10);
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}
