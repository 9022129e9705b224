/**
 * Why the service does not start: what the checks found, as data for whoever tells people.
 */
import type { Startup } from '@esclusa/contracts';

export class StartupValidationError extends Error {
  readonly summary: Startup;

  constructor(summary: Startup, cause?: unknown) {
    super('The start was refused by its checks.', cause === undefined ? {} : { cause });
    this.name = 'StartupValidationError';
    this.summary = summary;
  }
}
