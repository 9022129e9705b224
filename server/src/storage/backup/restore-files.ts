/**
 * The files of a restore: copied beside their places first, and looked at there; then moved
 * into them, with what was there kept under another name.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Backup } from './create.ts';
import { BackupError } from './failure.ts';
import { copyPrivately, remove } from './files.ts';
import { hasJournals, isJournalInUse } from './journal-part.ts';
import type { FilePart } from './manifest.ts';
import type { Move } from './restore-plan.ts';

export interface FileTarget {
  readonly dataDir: string;
  /** null: the database is no file. */
  readonly database: string | null;
}

const STAGED = '.restoring';
/** What SQLite keeps beside a database. */
const BESIDE = ['', '-wal', '-shm'];

/** Throws `restore_in_use`, and `restore_not_empty` unless what is there may go. */
export function requireFreeFiles(target: FileTarget, mayReplace: boolean): void {
  const journal = journalOf(target);
  if (isJournalInUse(journal)) throw new BackupError('restore_in_use', { where: target.dataDir });
  if (mayReplace) return;
  const { database } = target;
  const there = [
    ...(database !== null && existsSync(database) ? [database] : []),
    ...tenantFiles(target),
    ...(hasJournals(journal) ? [journal] : []),
  ];
  const [where] = there;
  if (where !== undefined) throw new BackupError('restore_not_empty', { where });
}

/** Copies the backup's files beside their places; answers the moves that put them there. */
export async function stageFiles(
  { path, manifest }: Backup,
  target: FileTarget,
  stamp: string,
  signal: AbortSignal,
): Promise<readonly Move[]> {
  await removeStaged(target);
  const moves: Move[] = [];
  const journal = journalOf(target);
  const parts = manifest.parts.filter((part): part is FilePart => part.kind !== 'postgres');
  for (const part of parts) {
    const to = stagedOf(target, part);
    await copyPrivately(join(path, part.path), to, signal);
  }
  for (const file of asideOf(target)) {
    for (const end of BESIDE.filter((each) => existsSync(file + each))) {
      moves.push({ from: file + end, to: `${file}.${stamp}${end}` });
    }
  }
  if (existsSync(journal)) moves.push({ from: journal, to: `${journal}.${stamp}` });
  if (existsSync(journal + STAGED)) moves.push({ from: journal + STAGED, to: journal });
  for (const part of parts.filter(({ kind }) => kind === 'sqlite')) {
    const staged = stagedOf(target, part);
    moves.push({ from: staged, to: staged.slice(0, -STAGED.length) });
  }
  return moves;
}

/** What a restore put beside the places and did not move into them. */
export async function removeStaged(target: FileTarget): Promise<void> {
  const tenants = join(target.dataDir, 'tenants');
  const left = existsSync(tenants)
    ? readdirSync(tenants).filter((name) => name.includes(`.sqlite${STAGED}`))
    : [];
  for (const name of left) await remove(join(tenants, name));
  await remove(journalOf(target) + STAGED);
  if (target.database === null) return;
  for (const end of BESIDE) await remove(target.database + STAGED + end);
}

/** The shared database where it was copied to; null: the backup has none in a file. */
export function stagedDatabase({ database }: FileTarget): string | null {
  return database === null ? null : database + STAGED;
}

function stagedOf(target: FileTarget, { kind, path, tenant }: FilePart): string {
  if (kind === 'journal') {
    return join(journalOf(target) + STAGED, path.slice('journal/'.length));
  }
  const own = tenant === null ? target.database : join(target.dataDir, path);
  return `${own}${STAGED}`;
}

function asideOf(target: FileTarget): readonly string[] {
  return [...(target.database === null ? [] : [target.database]), ...tenantFiles(target)];
}

function tenantFiles({ dataDir }: FileTarget): readonly string[] {
  const folder = join(dataDir, 'tenants');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => join(folder, name));
}

function journalOf({ dataDir }: FileTarget): string {
  return join(dataDir, 'journal');
}
