/**
 * Who owns a journal directory, also after the owner was killed: the owner holds an exclusive
 * lock on the file `lock` in it for as long as it lives. The operating system drops the lock
 * with the process, so neither process numbers nor clocks are compared.
 *
 * The lock is SQLite's, because it works on every platform, between processes and between
 * threads of one process alike. One more lock for the whole journal folder, held for moments,
 * keeps making, claiming and removing directories from crossing.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePrivate } from '../private-file.ts';

export interface Ownership {
  readonly instance: string;
  readonly directory: string;
  /** Gives the directory to whoever claims it next. */
  release(): void;
  /** Deletes it with everything in it. */
  remove(): void;
}

const LOCK_FILE = 'lock';
const REGISTRY_FILE = 'registry.lock';
const REGISTRY_WAIT_MS = 5000;

/** Makes and claims the directory of a new instance. Throws what the disk said. */
export function createInstance(root: string, instance: string): Ownership {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return withRegistry(root, () => {
    const directory = join(root, instance);
    mkdirSync(directory, { mode: 0o700 });
    const lock = tryLock(join(directory, LOCK_FILE), 0);
    if (lock === null) throw new Error(`journal ${directory} is owned by another process`);
    return ownership(root, instance, lock);
  });
}

/** The instances whose directories exist, owned or not. */
export function listInstances(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Claims a directory; null while its owner lives, or when it is gone. */
export function claimInstance(root: string, instance: string): Ownership | null {
  return withRegistry(root, () => {
    const directory = join(root, instance);
    if (!existsSync(directory)) return null;
    const lock = tryLock(join(directory, LOCK_FILE), 0);
    return lock === null ? null : ownership(root, instance, lock);
  });
}

/** Runs `work` while no directory is made, claimed or removed by anyone. */
function withRegistry<Result>(root: string, work: () => Result): Result {
  const lock = tryLock(join(root, REGISTRY_FILE), REGISTRY_WAIT_MS);
  if (lock === null) throw new Error(`journal folder ${root} stays locked`);
  try {
    return work();
  } finally {
    lock.close();
  }
}

function ownership(root: string, instance: string, lock: DatabaseSync): Ownership {
  const directory = join(root, instance);
  return {
    instance,
    directory,
    release: () => closeOnce(lock),
    remove: () =>
      withRegistry(root, () => {
        closeOnce(lock); // first, because some systems do not delete open files
        rmSync(directory, { recursive: true, force: true });
      }),
  };
}

function closeOnce(lock: DatabaseSync): void {
  if (lock.isOpen) lock.close();
}

/** null when someone else holds the lock after `waitMs`; throws when the file is unusable. */
function tryLock(path: string, waitMs: number): DatabaseSync | null {
  let lock: DatabaseSync | null = null;
  try {
    makePrivate(path);
    lock = new DatabaseSync(path, { timeout: waitMs });
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return lock;
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) return null;
    // In other words than SQLite's: this is not the database that would be out of reach.
    throw new Error(`the journal lock ${path} cannot be used`, { cause });
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
