/**
 * Where the data lies, under which roles it is reached, and how many connections that takes.
 */
import { choice, flag, group, optionalText, whole } from './setting.ts';

const ADDRESS = /^postgres(ql)?(\+\w+)?:./;
const postgres = 'a `postgres:` or `postgresql:` address';

const CONNECTIONS = { min: 1, max: 10_000 };
const SECONDS = { min: 1, max: 2_592_000 };

/** Sizes by name, for what is not set by itself. */
export const POOL_PROFILES = {
  default: { pool_size: 20, max_overflow: 10 },
  staging: { pool_size: 10, max_overflow: 20 },
  production: { pool_size: 20, max_overflow: 40 },
  multitenant: { pool_size: 10, max_overflow: 5 },
} as const;

export const databaseGroup = group(
  { apply: 'restart', description: 'The database; all but `url` concerns PostgreSQL.' },
  {
    url: optionalText(/^(sqlite|file|postgres|postgresql)(\+\w+)?:./, {
      env: ['DATABASE_URL'],
      accepts: 'a `sqlite:`, `file:`, `postgres:` or `postgresql:` address',
      description: 'Where the data lies; a SQLite file in `data_dir` where it is left out.',
    }),
    migration_url: optionalText(ADDRESS, {
      ...{ env: ['DATABASE_MIGRATION_URL'], accepts: postgres },
      description: 'The same database under the role that owns the tables; else as `url`.',
    }),
    writer_url: optionalText(ADDRESS, {
      ...{ env: ['DATABASE_WRITER_URL'], accepts: postgres },
      description: 'The same database under the role that writes the ledger; else as `url`.',
    }),
    pool_profile: choice('default', ['default', 'staging', 'production', 'multitenant'], {
      env: ['DB_POOL_PROFILE'],
      description:
        'Sizes for what is not set: `staging` 10 and 20 more, `production` 20 and 40 more, ' +
        '`multitenant` 10 and 5 more.',
    }),
    pool_size: whole(POOL_PROFILES.default.pool_size, CONNECTIONS, {
      env: ['DB_POOL_SIZE'],
      description: 'Connections that a process keeps.',
    }),
    max_overflow: whole(
      POOL_PROFILES.default.max_overflow,
      { min: 0, max: 10_000 },
      { env: ['DB_MAX_OVERFLOW'], description: 'Connections beyond these under load.' },
    ),
    pool_timeout_seconds: whole(30, SECONDS, {
      env: ['DB_POOL_TIMEOUT'],
      description: 'The longest wait for a free connection; then 503.',
    }),
    pool_recycle_seconds: whole(3600, SECONDS, {
      env: ['DB_POOL_RECYCLE'],
      description: 'The age at which a connection is replaced.',
    }),
    pool_pre_ping: flag(true, {
      env: ['DB_POOL_PRE_PING'],
      description: 'Tests a connection that was idle before it is used.',
    }),
    pooling: flag(true, {
      env: ['ENABLE_CONNECTION_POOLING'],
      killSwitch: true,
      description: 'False opens a connection for each use, within the same bounds.',
    }),
    analytics_pool_size: whole(
      4,
      { min: 1, max: 1000 },
      {
        env: ['DB_ANALYTICS_POOL_SIZE'],
        description: 'Connections for figures and lists of the ledger, beside the pool.',
      },
    ),
    processes: whole(1, CONNECTIONS, {
      env: ['DB_PROCESSES'],
      description:
        'Processes that use this database, on all hosts; the start is refused where their ' +
        'connections would exceed what the server gives.',
    }),
    echo: flag(false, {
      env: ['DB_ECHO'],
      description: 'Statements, without their values, in the log at `debug`; not in production.',
    }),
  },
);
