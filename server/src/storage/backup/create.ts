/**
 * Makes a backup of an installation while it works. Everything that was acknowledged before it
 * began is in it: journals are copied first, databases after them, each as of one moment.
 *
 * It is put together in a folder with another name and gets its own when every part was read
 * back and found good: what has the name of a backup is one. What is there is never replaced.
 */
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { DatabasePlace } from '../open-engine.ts';
import type { PlaceSettings } from '../places/place-engines.ts';
import { BackupError, proceed } from './failure.ts';
import { digestOf, isThere, makeFolder, moveTo, remove, sync, writePrivately } from './files.ts';
import { copyJournals } from './journal-part.ts';
import {
  type BackupKeys,
  FORMAT,
  MANIFEST_FILE,
  type Manifest,
  type Part,
  writeManifest,
} from './manifest.ts';
import { dumpPostgres, faultOfArchive, type PostgresFacts } from './postgres-part.ts';
import { type PostgresTarget, urlOfPlace } from './postgres-session.ts';
import { copySqlite, factsOfSqlite, faultOfSqlite, type OwnPlace } from './sqlite-part.ts';

export interface BackupSource {
  readonly database: DatabasePlace;
  readonly dataDir: string;
  /** Opens the logins of tenants' own databases, and judges their addresses. */
  readonly places: Pick<PlaceSettings, 'guard' | 'loginOf'>;
  readonly keys: BackupKeys;
  /** `PATH`, where the clients of PostgreSQL are looked for first. */
  readonly searchPath: string;
  /** Of the program. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Backup {
  readonly path: string;
  readonly manifest: Manifest;
}

/** What a backup is called: the product, and the moment in UTC. */
export const NAME = /^esclusa-\d{8}T\d{6}Z$/;
const PARTIAL = '.partial';
const MAIN = 'database/main';

/**
 * Makes one in `folder`, which is made where it is missing. Throws `BackupError` and what the
 * disk or a database said; nothing is left then.
 */
export async function createBackup(
  source: BackupSource,
  folder: string,
  signal: AbortSignal,
): Promise<Backup> {
  const createdAt = new Date(source.clock.wallMs()).toISOString();
  const path = join(folder, `esclusa-${createdAt.replaceAll(/[-:]|\.\d+/g, '')}`);
  if (isThere(path)) throw new BackupError('backup_exists', { path });
  await makeFolder(folder);
  const mark = Buffer.from(source.random.bytes(6)).toString('hex');
  const draft = `${path}.${mark}${PARTIAL}`;
  try {
    await makeFolder(draft);
    const manifest = await fill(source, draft, createdAt, signal);
    proceed(signal);
    if (isThere(path)) throw new BackupError('backup_exists', { path });
    await moveTo(draft, path);
    return { path, manifest };
  } catch (error) {
    await remove(draft);
    throw signal.aborted ? new BackupError('interrupted') : error;
  }
}

async function fill(
  source: BackupSource,
  draft: string,
  createdAt: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const { database, dataDir, keys, version } = source;
  const journals = await copyJournals(join(dataDir, 'journal'), join(draft, 'journal'), signal);
  const parts: Part[] = [];
  for (const journal of journals) {
    parts.push(await filePart(draft, 'journal', `journal/${journal}`, null, signal));
  }
  const target =
    database.kind === 'sqlite' ? null : { url: database.migrationUrl ?? database.url, guard: null };
  const main = await copyDatabase(source, draft, target, signal);
  if (main.facts.mark !== null && main.facts.mark !== keys.mark) {
    throw new BackupError('backup_other_secret');
  }
  parts.push(main.part);
  for (const own of main.facts.dedicated) {
    proceed(signal);
    parts.push(await ownPart(source, draft, own, signal));
  }
  const manifest: Manifest = {
    ...{ format: FORMAT, version, createdAt, engine: database.kind },
    ...{ schema: main.facts.schema, masterSecretMark: keys.mark, parts },
  };
  for (const part of parts) await sync(join(draft, part.path));
  await writePrivately(join(draft, MANIFEST_FILE), writeManifest(manifest, keys));
  await sync(draft);
  return manifest;
}

async function copyDatabase(
  { database, searchPath }: BackupSource,
  draft: string,
  target: PostgresTarget | null,
  signal: AbortSignal,
) {
  await makeFolder(join(draft, 'database'));
  if (database.kind === 'sqlite' || target === null) {
    const path = `${MAIN}.sqlite`;
    await copySqlite(database.kind === 'sqlite' ? database.file : '', join(draft, path));
    const part = await filePart(draft, 'sqlite', path, null, signal);
    return { facts: factsOfSqlite(join(draft, path)), part };
  }
  const path = `${MAIN}.dump`;
  const facts = await dumpPostgres(target, join(draft, path), { searchPath, signal });
  return { facts, part: await archivePart({ searchPath, draft, path, signal }, facts, null, null) };
}

async function ownPart(
  { dataDir, places, searchPath }: BackupSource,
  draft: string,
  { id, slug, place }: OwnPlace,
  signal: AbortSignal,
): Promise<Part> {
  await makeFolder(join(draft, 'tenants'));
  if (place.kind === 'file') {
    const path = `tenants/${slug}.sqlite`;
    await copySqlite(join(dataDir, path), join(draft, path));
    return filePart(draft, 'sqlite', path, slug, signal);
  }
  const login = places.loginOf({ id, slug }, place);
  if (login === null) {
    const why = `the login of the database of tenant ${slug} cannot be opened`;
    throw new BackupError('backup_no_source', { why });
  }
  const path = `tenants/${slug}.dump`;
  const target = { url: urlOfPlace(place, login), guard: places.guard() };
  const facts = await dumpPostgres(target, join(draft, path), { searchPath, signal });
  return archivePart({ searchPath, draft, path, signal }, facts, slug, { id, place });
}

async function filePart(
  draft: string,
  kind: 'journal' | 'sqlite',
  path: string,
  tenant: string | null,
  signal: AbortSignal,
): Promise<Part> {
  const file = join(draft, path);
  const fault = kind === 'sqlite' ? faultOfSqlite(file) : null;
  if (fault !== null) throw new BackupError('backup_damaged', { part: path, why: fault });
  return { kind, path, tenant, ...(await digestOf(file, signal)) };
}

interface ArchivePlace {
  readonly searchPath: string;
  readonly draft: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

async function archivePart(
  { searchPath, draft, path, signal }: ArchivePlace,
  facts: PostgresFacts,
  tenant: string | null,
  owner: Extract<Part, { readonly kind: 'postgres' }>['owner'],
): Promise<Part> {
  const file = join(draft, path);
  const fault = await faultOfArchive(file, facts, { searchPath, signal });
  if (fault !== null) throw new BackupError('backup_damaged', { part: path, why: fault });
  const { rows, serverVersion, schemaName: schema } = facts;
  const digest = await digestOf(file, signal);
  return { kind: 'postgres', path, tenant, ...digest, serverVersion, schema, rows, owner };
}
