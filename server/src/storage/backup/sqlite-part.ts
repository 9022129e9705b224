/**
 * A SQLite database as one file: copied while others write, by SQLite itself, as it was at one
 * moment; and looked at as a whole.
 */
import { existsSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { DataPlace } from '../../tenancy/ports/data-place.ts';
import type { AppliedSchema } from '../migrations/compatibility.ts';
import { makePrivate } from '../private-file.ts';
import { BackupError } from './failure.ts';

/** All pages in one step: whoever writes meanwhile would make it begin again between two. */
const ALL_PAGES = 2 ** 31 - 1;
const BUSY_MS = 10_000;

export interface OwnPlace {
  readonly id: string;
  readonly slug: string;
  readonly place: DataPlace;
}

export interface SqliteFacts {
  readonly schema: AppliedSchema;
  /** The mark of the master secret; null where none was left yet. */
  readonly mark: string | null;
  readonly dedicated: readonly OwnPlace[];
}

/** Copies it to a file that needs nothing beside it. Throws what SQLite said. */
export async function copySqlite(from: string, to: string): Promise<void> {
  if (!existsSync(from)) throw new BackupError('backup_no_source', { why: `${from} is missing` });
  makePrivate(to);
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
  try {
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(to);
  try {
    copy.exec('pragma journal_mode = delete; pragma synchronous = full');
  } finally {
    copy.close();
  }
}

/** Why it is no whole database; null: it is one. */
export function faultOfSqlite(path: string): string | null {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const [first] = database.prepare('pragma integrity_check(1)').all();
      const said = String(first?.integrity_check ?? 'nothing');
      return said === 'ok' ? null : said;
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function factsOfSqlite(path: string): SqliteFacts {
  const database = new DatabaseSync(path, { readOnly: true });
  const all = (sql: string) => database.prepare(sql).all() as Record<string, string>[];
  try {
    const kept = new Map(
      all('select name, value from installation').map(({ name, value }) => [name, value ?? '']),
    );
    const era = kept.get('schema_era');
    return {
      schema: {
        migrations: all('select name from kysely_migration order by name').map(({ name }) =>
          String(name),
        ),
        era: era === undefined ? null : Number(era),
      },
      mark: kept.get('master_secret') ?? null,
      dedicated: all(
        'select id, slug, place from tenants where place is not null order by slug',
      ).map(({ id = '', slug = '', place = '' }) => ({ id, slug, place: JSON.parse(place) })),
    };
  } finally {
    database.close();
  }
}
