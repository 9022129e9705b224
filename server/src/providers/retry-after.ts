/**
 * How long a provider asks to be left alone: `retry-after-ms`, or `retry-after` in seconds or
 * as a date. A date counts from the answer's own `date` header, so that neither clock matters.
 */

/** A longer wait says no more than this one. */
const MAX_WAIT_MS = 7 * 24 * 3_600_000;

/** Milliseconds; null where the provider does not say, or says nothing that can be read. */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const ms = decimal(headers['retry-after-ms']);
  if (ms !== null) return bounded(ms);
  const text = headers['retry-after'];
  const seconds = decimal(text);
  if (seconds !== null) return bounded(seconds * 1000);
  const wait = Date.parse(text ?? '') - Date.parse(headers.date ?? '');
  return Number.isNaN(wait) ? null : bounded(wait);
}

function decimal(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,12}(?:\.\d{1,6})?$/.test(text.trim()) ? Number(text) : null;
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), MAX_WAIT_MS);
}
