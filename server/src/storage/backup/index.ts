/**
 * Copies of an installation: made while it works, looked at, kept in a number, brought back.
 */
export { type Backup, type BackupSource, createBackup } from './create.ts';
export { BackupError } from './failure.ts';
export { keepNewest } from './keep.ts';
export { type Restored, restoreBackup } from './restore.ts';
export { verifyBackup } from './verify.ts';
