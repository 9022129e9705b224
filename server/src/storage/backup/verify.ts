/**
 * Whether a backup can be brought back: that it is of this installation, of a program that this
 * one understands, and that every part is what was written and can be read to its end.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeSchema } from '../migrations/compatibility.ts';
import { MIGRATION_NAMES } from '../migrations/index.ts';
import type { Backup } from './create.ts';
import { BackupError, proceed } from './failure.ts';
import { digestOf } from './files.ts';
import {
  type BackupKeys,
  MANIFEST_FILE,
  type Manifest,
  type Part,
  readManifest,
} from './manifest.ts';
import { faultOfArchive } from './postgres-part.ts';
import { faultOfSqlite } from './sqlite-part.ts';

export interface VerifyOptions {
  readonly keys: BackupKeys;
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

/** Throws `BackupError` with what is wrong first; reads and changes nothing else. */
export async function verifyBackup(path: string, options: VerifyOptions): Promise<Backup> {
  const file = join(path, MANIFEST_FILE);
  if (!existsSync(file)) throw new BackupError('backup_missing', { path });
  const manifest = readManifest(readFileSync(file, 'utf8'), options.keys);
  requireUnderstood(manifest);
  for (const part of manifest.parts) {
    proceed(options.signal);
    const fault = await faultOf(join(path, part.path), part, options);
    if (fault !== null) throw new BackupError('backup_damaged', { part: part.path, why: fault });
  }
  return { path, manifest };
}

function requireUnderstood({ schema }: Manifest): void {
  try {
    judgeSchema(schema, MIGRATION_NAMES);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupError('backup_newer', { why });
  }
}

async function faultOf(
  file: string,
  part: Part,
  { searchPath, signal }: VerifyOptions,
): Promise<string | null> {
  if (!existsSync(file)) return 'it is missing';
  const { bytes, sha256 } = await digestOf(file, signal);
  if (bytes !== part.bytes) return `it has ${bytes} bytes in place of ${part.bytes}`;
  if (sha256 !== part.sha256) return 'its digest is another';
  if (part.kind === 'postgres') return faultOfArchive(file, part, { searchPath, signal });
  return part.kind === 'sqlite' ? faultOfSqlite(file) : null;
}
