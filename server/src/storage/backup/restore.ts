/**
 * Brings a backup back. Everything that can be known is asked before anything is written: that
 * every part is whole, that the master secret fits, that nobody works on the target and that it
 * is empty, or may be replaced. A restore that fails leaves the target as it was.
 *
 * A tenant's own PostgreSQL database is filled where it is empty, and otherwise left alone: the
 * address in a copy of an installation may be that of the original.
 */
import { join } from 'node:path';
import type { Backup, BackupSource } from './create.ts';
import { BackupError } from './failure.ts';
import { makeFolder } from './files.ts';
import type { Manifest, PostgresPart } from './manifest.ts';
import { type PostgresTarget, urlOfPlace } from './postgres-session.ts';
import {
  type FileTarget,
  removeStaged,
  requireFreeFiles,
  stagedDatabase,
  stageFiles,
} from './restore-files.ts';
import { carryOut, type Move, undoUnfinished } from './restore-plan.ts';
import { type Destination, emptyAgain, lookAt, restorePostgres } from './restore-postgres.ts';
import { verifyBackup } from './verify.ts';

export interface RestoreOptions {
  /** What is there is kept under another name. */
  readonly mayReplace: boolean;
  /** Brings a copied file's tables up to date; throws what is wrong with it. */
  readonly prepare: (file: string) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface Restored {
  readonly manifest: Manifest;
  /** What was there, under its new names. */
  readonly aside: readonly string[];
  /** Tenants whose own databases have data, and were not touched. */
  readonly leftAlone: readonly string[];
}

interface Filling {
  readonly part: PostgresPart;
  readonly target: PostgresTarget;
  readonly destination: Destination;
}

/** Throws `BackupError`, and what a disk or a database said. */
export async function restoreBackup(
  target: BackupSource,
  path: string,
  { mayReplace, prepare, signal }: RestoreOptions,
): Promise<Restored> {
  const { dataDir, database, keys, searchPath } = target;
  const files: FileTarget = {
    dataDir,
    database: database.kind === 'sqlite' ? database.file : null,
  };
  await undoUnfinished(dataDir);
  const backup = await verifyBackup(path, { keys, searchPath, signal });
  requireSameEngine(backup, database.kind);
  requireFreeFiles(files, mayReplace);
  const fillings = await lookAtAll(target, backup, mayReplace);
  const stamp = stampOf(target);
  await makeFolder(dataDir);
  try {
    const moves = await stageFiles(backup, files, `before-restore-${stamp}`, signal);
    const staged = stagedDatabase(files);
    if (staged !== null) await prepare(staged);
    await bringIn({ ...target, signal }, backup, fillings, { moves, stamp });
    return { manifest: backup.manifest, ...told(moves, fillings, stamp) };
  } catch (error) {
    throw signal.aborted ? new BackupError('interrupted') : error;
  } finally {
    await removeStaged(files);
  }
}

function requireSameEngine({ manifest }: Backup, wants: Manifest['engine']): void {
  const { engine: has } = manifest;
  if (has !== wants) throw new BackupError('backup_other_engine', { has, wants });
}

async function lookAtAll(
  target: BackupSource,
  { manifest }: Backup,
  mayReplace: boolean,
): Promise<readonly Filling[]> {
  const fillings: Filling[] = [];
  const parts = manifest.parts.filter((part): part is PostgresPart => part.kind === 'postgres');
  for (const part of parts) {
    const place = placeOf(target, part);
    const destination = await lookAt(place);
    if (part.owner === null && !destination.isEmpty && !mayReplace) {
      throw new BackupError('restore_not_empty', { where: `schema ${destination.schema}` });
    }
    fillings.push({ part, target: place, destination });
  }
  return fillings;
}

function placeOf({ database, places }: BackupSource, part: PostgresPart): PostgresTarget {
  if (part.owner === null) {
    const url = database.kind === 'postgres' ? (database.migrationUrl ?? database.url) : '';
    return { url, guard: null };
  }
  const { id, place } = part.owner;
  const login = places.loginOf({ id, slug: part.tenant ?? '' }, place);
  if (login === null) {
    const why = `the login of the database of tenant ${part.tenant} cannot be opened`;
    throw new BackupError('backup_damaged', { part: part.path, why });
  }
  return { url: urlOfPlace(place, login), guard: places.guard() };
}

interface Arrival {
  readonly moves: readonly Move[];
  readonly stamp: string;
}

/** Tenants' own databases first: until the shared one is there, nothing refers to them. */
async function bringIn(
  target: BackupSource & { readonly signal: AbortSignal },
  { path }: Backup,
  fillings: readonly Filling[],
  { moves, stamp }: Arrival,
): Promise<void> {
  const filled: Filling[] = [];
  const shared = fillings.find(({ part }) => part.owner === null);
  try {
    for (const filling of fillings.filter((each) => each !== shared && isToBeFilled(each))) {
      await fill(target, path, filling, stamp);
      filled.push(filling);
    }
    await carryOut(target.dataDir, moves, async () => {
      if (shared !== undefined) await fill(target, path, shared, stamp);
    });
  } catch (error) {
    for (const { part, target: place } of filled) await emptyAgain(place, part);
    throw error;
  }
}

function isToBeFilled({ part, destination }: Filling): boolean {
  return part.owner === null || destination.isEmpty;
}

function fill(
  { searchPath, signal }: BackupSource & { readonly signal: AbortSignal },
  path: string,
  { part, target, destination }: Filling,
  stamp: string,
): Promise<void> {
  const archive = { file: join(path, part.path), part };
  const around = { searchPath, signal };
  return restorePostgres(target, archive, destination, schemaAside(stamp), around);
}

function told(
  moves: readonly Move[],
  fillings: readonly Filling[],
  stamp: string,
): Pick<Restored, 'aside' | 'leftAlone'> {
  const schemas = fillings
    .filter(({ part, destination }) => part.owner === null && !destination.isEmpty)
    .map(() => `schema ${schemaAside(stamp)}`);
  const kept = moves.map(({ to }) => to).filter((to) => to.includes(`.before-restore-${stamp}`));
  const alone = fillings.filter((each) => !isToBeFilled(each));
  return {
    aside: [...kept, ...schemas],
    leftAlone: alone.map(({ part }) => part.tenant ?? ''),
  };
}

function schemaAside(stamp: string): string {
  return `before_restore_${stamp.toLowerCase()}`;
}

/** To the millisecond: one that was cut off may be begun again within the same second. */
function stampOf({ clock }: BackupSource): string {
  return new Date(clock.wallMs()).toISOString().replaceAll(/[-:.]/g, '');
}
