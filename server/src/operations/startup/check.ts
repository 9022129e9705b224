/**
 * One check at start: what it looks at, whether the service can do without it, and how long it
 * may take. Which checks there are follows from what is switched on; who builds the list knows.
 */

export interface Verdict {
  readonly status: 'pass' | 'warning' | 'fail';
  /** For people; names variables and places, never values that could be secret. */
  readonly message: string;
}

export interface StartupCheck {
  /** Of metrics and messages: `database_connection`. */
  readonly name: string;
  /** A `fail` ends the start; of a check that is not critical it is a `warning`. */
  readonly critical: boolean;
  readonly timeoutMs: number;
  /** What it comes to where it takes longer; absent: a `fail`. */
  readonly late?: Verdict;
  /** May reject: that is a `fail` with the error's message. `signal` aborts at the timeout. */
  run(signal: AbortSignal): Promise<Verdict> | Verdict;
}

export const pass = (message: string): Verdict => ({ status: 'pass', message });
export const warning = (message: string): Verdict => ({ status: 'warning', message });
export const fail = (message: string): Verdict => ({ status: 'fail', message });
