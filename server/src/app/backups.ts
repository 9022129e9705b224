/**
 * Backups of this installation: where its data lies and what its master secret leaves on them.
 * A secret is never made up here: without the one the data was made under, neither a copy nor
 * what is brought back from one would be of any use.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { createSecretFile, deriveKeys, loadMasterSecret } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { silentLog } from '../kernel/log.ts';
import type { Random } from '../kernel/random.ts';
import {
  type Backup,
  BackupError,
  type BackupSource,
  createBackup,
  keepNewest,
  type Restored,
  restoreBackup,
  verifyBackup,
} from '../storage/backup/index.ts';
import { openStorageTool } from '../storage/index.ts';
import { placeSettings } from './tenant-data.ts';

export type { Backup, Restored } from '../storage/backup/index.ts';

/** Each of them throws `BackupError`, and what a disk or a database said. */
export interface Backups {
  /** Makes one in the folder and, where a number is given, removes all but the newest. */
  create(folder: string, keep: number | null, signal: AbortSignal): Promise<MadeBackup>;
  verify(path: string, signal: AbortSignal): Promise<Backup>;
  /** The tables of what is brought back are those of the backup's version, or newer. */
  restore(path: string, mayReplace: boolean, signal: AbortSignal): Promise<Restored>;
}

export interface MadeBackup extends Backup {
  /** Paths of the older ones that were removed. */
  readonly removed: readonly string[];
}

export interface BackupDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** `PATH`, where the clients of PostgreSQL are looked for first. */
  readonly searchPath: string;
  /** Of the program. */
  readonly version: string;
}

export function createBackups(config: Config, deps: BackupDeps): Backups {
  const source = sourceOf(config, deps);
  const { keys, searchPath } = source;
  return {
    async create(folder, keep, signal) {
      const backup = await createBackup(source, folder, signal);
      const options = { keys, count: keep ?? 0, nowMs: source.clock.wallMs() };
      const removed = keep === null ? [] : await keepNewest(folder, options);
      return { ...backup, removed };
    },
    verify: (path, signal) => verifyBackup(path, { keys, searchPath, signal }),
    restore(path, mayReplace, signal) {
      const prepare = (file: string) => bringUpToDate(file, deps.clock);
      return restoreBackup(source, path, { mayReplace, prepare, signal });
    },
  };
}

/** Throws `backup_no_secret` where there is none, and what is wrong with one. */
function sourceOf(config: Config, deps: BackupDeps): BackupSource {
  const { dataDir, database, masterSecret } = config;
  const file = createSecretFile(dataDir);
  if (masterSecret === null && file.read() === null) throw new BackupError('backup_no_secret');
  const secrets = deriveKeys(loadMasterSecret(file, deps.random, masterSecret).secret);
  return {
    ...deps,
    ...{ dataDir, database },
    places: placeSettings(config, deps.clock, deps.random),
    keys: { mark: secrets.mark.toString('hex'), key: secrets.backupKey },
  };
}

/** Beside everything else: no journal is near. */
async function bringUpToDate(file: string, clock: Clock): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'esclusa-restore-'));
  try {
    const database = { kind: 'sqlite', file } as const;
    const storage = await openStorageTool({ database, dataDir, clock, log: silentLog });
    await storage.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
