/**
 * Files of SQLite that nobody but their owner may read, whatever the umask: SQLite itself makes
 * them readable to all, and gives the files beside a database (`-wal`, `-shm`) its mode.
 */
import { closeSync, existsSync, openSync } from 'node:fs';

const OWNER_ONLY = 0o600;

/** Makes the file, empty, where there is none; one that is there keeps its mode. */
export function makePrivate(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'ax', OWNER_ONLY));
  } catch (error) {
    if (!existsSync(path)) throw error; // else another process was faster
  }
}
