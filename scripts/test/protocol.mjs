/**
 * What the reporter inside a test file's process tells the runner (`Entry`, a JSON line each), and
 * what the runner makes of a whole file (`Outcome`). Types only.
 */

/**
 * @typedef {Record<'tests' | 'suites' | 'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo',
 *   number>} Counts
 * @typedef {{ kind: 'failure', title: string, place: string, message: string }
 *   | { kind: 'diagnostic', message: string }
 *   | { kind: 'summary', counts: Counts }} Entry
 * @typedef {{ title: string, place: string, message: string }} Failure
 * @typedef {{ file: string, ms: number, counts: Counts, failures: Failure[],
 *   diagnostics: string[], output: string }} Outcome
 */

export {};
