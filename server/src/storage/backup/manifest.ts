/**
 * The first page of a backup: what it is of, what it has, and how to know that it is whole. It
 * is authenticated under the master secret, so that who can write where backups lie can neither
 * change a part nor put another in its place. The secret itself is in no backup, only the mark
 * by which the same one is known again.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { PostgresPlace } from '../../tenancy/ports/data-place.ts';
import type { AppliedSchema } from '../migrations/compatibility.ts';
import { BackupError } from './failure.ts';

export const MANIFEST_FILE = 'manifest.json';
/** Raised when a program of before could not read what is written. */
export const FORMAT = 1;

export interface FilePart {
  readonly kind: 'journal' | 'sqlite';
  /** Its path within the backup, with `/`. */
  readonly path: string;
  /** Whose own database it is; null: everybody's. */
  readonly tenant: string | null;
  readonly bytes: number;
  readonly sha256: string;
}

export interface PostgresPart extends Omit<FilePart, 'kind'> {
  readonly kind: 'postgres';
  readonly serverVersion: number;
  /** The schema that holds the tables. */
  readonly schema: string;
  /** Of every table with rows of its own, at the moment of the backup. */
  readonly rows: Readonly<Record<string, number>>;
  /** Where a tenant's own database is, with its login sealed; null for the shared one. */
  readonly owner: { readonly id: string; readonly place: PostgresPlace } | null;
}

export type Part = FilePart | PostgresPart;

export interface Manifest {
  readonly format: typeof FORMAT;
  /** Of the program. */
  readonly version: string;
  readonly createdAt: string;
  readonly engine: 'sqlite' | 'postgres';
  readonly schema: AppliedSchema;
  readonly masterSecretMark: string;
  readonly parts: readonly Part[];
}

/** What belongs to the installation's master secret, and nothing of the secret. */
export interface BackupKeys {
  /** Tells the same secret again. */
  readonly mark: string;
  /** Authenticates manifests. */
  readonly key: Buffer;
}

export function writeManifest(manifest: Manifest, { key }: BackupKeys): string {
  return `${JSON.stringify({ manifest, mac: macOf(manifest, key) }, null, 2)}\n`;
}

/** Throws `backup_damaged`, `backup_newer` and `backup_other_secret`. */
export function readManifest(text: string, { key, mark }: BackupKeys): Manifest {
  const parsed = parseJson(text);
  const manifest = isJsonObject(parsed) ? parsed.manifest : null;
  if (!isJsonObject(parsed) || !isJsonObject(manifest)) throw damaged('it cannot be read');
  if (manifest.format !== FORMAT) {
    throw new BackupError('backup_newer', { why: `format ${String(manifest.format)}` });
  }
  if (manifest.masterSecretMark !== mark) throw new BackupError('backup_other_secret');
  const known = manifest as unknown as Manifest;
  const wanted = Buffer.from(macOf(known, key));
  const given = Buffer.from(typeof parsed.mac === 'string' ? parsed.mac : '');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw damaged('it was changed after the backup');
  }
  return known;
}

function macOf(manifest: Manifest, key: Buffer): string {
  return createHmac('sha256', key).update(JSON.stringify(manifest)).digest('hex');
}

function damaged(why: string): BackupError {
  return new BackupError('backup_damaged', { part: MANIFEST_FILE, why });
}
