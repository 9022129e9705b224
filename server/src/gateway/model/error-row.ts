/**
 * One row of the catalogue of errors.
 */

export interface ErrorRow {
  readonly status: number;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly summary: string;
  /** What the reader can do about it. */
  readonly advice: string;
}

export function row(status: number, retryable: boolean, summary: string, advice: string): ErrorRow {
  return { status, retryable, summary, advice };
}
