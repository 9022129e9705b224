/**
 * A command that cannot be done: one line for people, a code and the exit code for scripts.
 * 1 says that it failed, 2 that it was not asked for correctly.
 */
export interface FailureMarks {
  readonly exitCode?: 1 | 2;
  /** Where it says more than that it failed: mostly a code of the catalogue of errors. */
  readonly code?: string;
}

export class CliFailure extends Error {
  readonly exitCode: 1 | 2;
  readonly code: string;

  constructor(message: string, { exitCode = 1, code }: FailureMarks = {}) {
    super(message);
    this.exitCode = exitCode;
    this.code = code ?? (exitCode === 2 ? 'usage' : 'failed');
  }
}
