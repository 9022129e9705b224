/**
 * What can stand in the way of a backup or of bringing one back: a code for scripts, and the
 * words that belong to it. None of it is an answer to a client, so the catalogue of those does
 * not have it; no detail ever holds a password.
 */

export type BackupCode =
  /** `path` is there already. */
  | 'backup_exists'
  /** `path` is no backup. */
  | 'backup_missing'
  /** `part` is not what was written: `why`. */
  | 'backup_damaged'
  /** Written by a program that this one does not understand: `why`. */
  | 'backup_newer'
  /** Made under another master secret. */
  | 'backup_other_secret'
  /** There is no master secret here, and none is made up. */
  | 'backup_no_secret'
  /** `has` cannot be brought back to `wants`. */
  | 'backup_other_engine'
  /** There is nothing to copy: `why`. */
  | 'backup_no_source'
  /** The database at `where` does not let us in: `why`. */
  | 'backup_unreachable'
  /** The client `tool` of PostgreSQL `version` or newer is not installed. */
  | 'backup_tool_missing'
  /** `tool` is of version `has`, the server of `version`. */
  | 'backup_tool_old'
  /** `tool` failed: `why`. */
  | 'backup_tool_failed'
  /** The role `role` may not read every table. */
  | 'backup_role'
  /** `where` has data. */
  | 'restore_not_empty'
  /** `where` is being worked on. */
  | 'restore_in_use'
  /** A restore was cut off in `where` and has to be run again. */
  | 'restore_unfinished'
  /** It was asked to stop. */
  | 'interrupted';

export type BackupDetails = Readonly<Record<string, string>>;

export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupCode;
  readonly details: BackupDetails;

  constructor(code: BackupCode, details: BackupDetails = {}, cause?: unknown) {
    const told = Object.entries(details).map(([name, value]) => `${name} ${value}`);
    super([code, ...told].join(', '), { cause });
    this.code = code;
    this.details = details;
  }
}

/** Throws `interrupted` where somebody wants no more of it. */
export function proceed(signal: AbortSignal): void {
  if (signal.aborted) throw new BackupError('interrupted');
}
