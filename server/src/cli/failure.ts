/**
 * A command that cannot be done: one line for people, and the exit code for scripts. 1 says
 * that it failed, 2 that it was not asked for correctly.
 */
export class CliFailure extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
