/**
 * Where the data lies, under which roles it is reached, and how many connections that takes.
 */
import { choice, flag, group, optionalText, text, whole } from './setting.ts';

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
    pooler: choice('none', ['none', 'transaction'], {
      env: ['DB_POOLER'],
      description:
        '`transaction`: `url` leads to a PgBouncer in that mode, which bounds the connections; ' +
        '`migration_url` and `writer_url` must lead to the server itself.',
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

const RANGES = /^[\da-fA-F.:]+\/\d{1,3}(\s*,\s*[\da-fA-F.:]+\/\d{1,3})*$/;
const PORTS = /^\d{1,5}(\s*,\s*\d{1,5})*$/;

export const dedicatedGroup = group(
  { apply: 'restart', description: 'Databases of single tenants.' },
  {
    pool_size: whole(3, CONNECTIONS, {
      env: ['DB_TENANT_POOL_SIZE'],
      description: 'Connections that a process keeps to each.',
    }),
    max_overflow: whole(
      2,
      { min: 0, max: 10_000 },
      { env: ['DB_TENANT_MAX_OVERFLOW'], description: 'Connections beyond these under load.' },
    ),
    open_max: whole(50, CONNECTIONS, {
      env: ['DB_TENANT_POOLS_MAX'],
      description: 'Databases that a process has open at once; of files, 8 at most.',
    }),
    idle_seconds: whole(3600, SECONDS, {
      env: ['DB_TENANT_POOL_IDLE'],
      description: 'How long one that nobody needs stays open.',
    }),
    metadata_ttl_seconds: whole(300, SECONDS, {
      env: ['TENANT_METADATA_TTL'],
      description:
        'How long a process believes where a tenant’s data lies without asking again; it hears ' +
        'of changes within two seconds all the same.',
    }),
    allowed_ranges: optionalText(RANGES, {
      env: ['DB_TENANT_ALLOWED_RANGES'],
      accepts: 'ranges such as `10.0.0.0/8`, separated by commas',
      description: 'Private or loopback addresses where such a database may be; else none.',
    }),
    allowed_ports: text('5432,6432', PORTS, {
      env: ['DB_TENANT_ALLOWED_PORTS'],
      accepts: 'port numbers, separated by commas',
      description: 'Ports where such a database may listen.',
    }),
  },
);
