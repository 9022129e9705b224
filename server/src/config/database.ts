/**
 * Where the data lies, read from the `database` settings: a file, or a PostgreSQL with its
 * roles and pools.
 *
 * The settings were checked before (`check/database.ts`); the same functions say what is wrong.
 */
import { join } from 'node:path';
import { redactUrl } from './redact.ts';
import { POOL_PROFILES } from './schema/database.ts';
import type { Settings } from './schema/file.ts';
import { memberOf } from './schema/walk.ts';
import { sqliteFileOf } from './sqlite-url.ts';

export type DatabaseConfig = { readonly kind: 'sqlite'; readonly file: string } | PostgresConfig;

export interface PostgresConfig {
  readonly kind: 'postgres';
  readonly url: string;
  /** null: as `url`. */
  readonly migrationUrl: string | null;
  /** null: as `url`. */
  readonly writerUrl: string | null;
  readonly pool: {
    readonly size: number;
    readonly maxOverflow: number;
    readonly timeoutMs: number;
    readonly recycleMs: number;
    readonly prePing: boolean;
    readonly isPooling: boolean;
  };
  /** `url` leads to a pooler that lends connections for one transaction each. */
  readonly isPooled: boolean;
  readonly analyticsSize: number;
  readonly processes: number;
  readonly strictRole: boolean;
  readonly echo: boolean;
}

type DatabaseSettings = Settings['database'];

const DATABASE_FILE = 'esclusa.sqlite';
const MS_PER_SECOND = 1000;
/** What an address may say beside the place; the rest is ours to say. */
const PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];

export function isPostgres(url: string | undefined): url is string {
  return url !== undefined && /^postgres/.test(url);
}

/** Where the data lies, in words that hold no password. */
export function placeOf(database: DatabaseConfig): string {
  return database.kind === 'sqlite' ? database.file : redactUrl(database.url);
}

export function databaseConfig(settings: Settings): DatabaseConfig {
  const { database, data_dir: dataDir, environment, workers } = settings;
  const { url } = database;
  if (!isPostgres(url)) {
    const file = url === undefined ? null : sqliteFileOf(url);
    return { kind: 'sqlite', file: file ?? join(dataDir, DATABASE_FILE) };
  }
  return {
    kind: 'postgres',
    url,
    migrationUrl: database.migration_url ?? null,
    writerUrl: database.writer_url ?? null,
    pool: {
      size: database.pool_size,
      maxOverflow: database.max_overflow,
      timeoutMs: database.pool_timeout_seconds * MS_PER_SECOND,
      recycleMs: database.pool_recycle_seconds * MS_PER_SECOND,
      prePing: database.pool_pre_ping,
      isPooling: database.pooling,
    },
    isPooled: database.pooler === 'transaction',
    analyticsSize: database.analytics_pool_size,
    processes: Math.max(database.processes, workers),
    strictRole: environment === 'production',
    echo: database.echo,
  };
}

/** The sizes of the chosen profile where nobody wrote others. */
export function withProfile(database: DatabaseSettings, written: unknown): DatabaseSettings {
  const { pool_size, max_overflow } = POOL_PROFILES[database.pool_profile];
  const isWritten = (key: string): boolean => memberOf(written, key) !== undefined;
  return {
    ...database,
    ...(!isWritten('pool_size') && { pool_size }),
    ...(!isWritten('max_overflow') && { max_overflow }),
  };
}

/** What is wrong with an address, in words that hold no password; null: nothing. */
export function problemOfPostgresUrl(text: string): string | null {
  const plain = text.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:');
  if (!URL.canParse(plain)) return 'is not an address';
  const url = new URL(plain);
  if (url.hash !== '') return 'holds a `#`, which is `%23` in a password';
  if (url.hostname === '' && !url.searchParams.has('host')) return 'names no host';
  if (url.pathname.length < 2) return 'names no database';
  if (url.username === '') return 'names no role';
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return `has the parameter ${JSON.stringify(unknown)}`;
  return [url.username, url.password, url.pathname].every(isDecodable)
    ? null
    : 'has a part that is not percent-encoded';
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
