/**
 * The first contact with the server: waits for it, looks at what it is, brings the tables up to
 * date, and refuses what must not be worked with.
 */
import type pg from 'pg';
import { GatewayError } from '../../../gateway/model/errors.ts';
import { sleep } from '../../../kernel/deadline.ts';
import type { DataPlace } from '../../../tenancy/ports/data-place.ts';
import { judgeSchema } from '../../migrations/compatibility.ts';
import { MIGRATION_NAMES } from '../../migrations/index.ts';
import { abandon, clientConfig, connect } from './client.ts';
import { type Inspection, inspect, refusal, requireBudget } from './inspection.ts';
import { migratePostgres } from './migrating.ts';
import { demandOf, type PostgresOptions, START } from './options.ts';
import { beginning } from './scope.ts';
import { countAt, serverOfMain } from './server-address.ts';
import { ConnectError, codedError, troubleOf } from './sqlstate.ts';

const RETRY_MS = 500;
const INSUFFICIENT_PRIVILEGE = '42501';
const NEVER = new AbortController().signal;

/** Throws `storage_unavailable` with what is wrong and what to do. */
export async function openDatabase(options: PostgresOptions): Promise<Inspection> {
  let inspection = await look(options);
  if (!isReady(inspection)) inspection = await update(options, inspection.role);
  const { later } = judgeSchema(inspection.schema, MIGRATION_NAMES);
  if (later.length > 0) options.log.warn('the database is of a newer version', { later });
  judgeRole(options, inspection);
  return inspection;
}

function isReady({ schema, hasRights }: Inspection): boolean {
  return hasRights && judgeSchema(schema, MIGRATION_NAMES).state === 'current';
}

async function look(options: PostgresOptions): Promise<Inspection> {
  const { settings } = options;
  const client = await connectPatiently(options);
  try {
    const inspection = await inspect(client);
    const others = isReady(inspection) ? await connectionsToTenants(client, options) : 0;
    requireBudget({ ...demandOf(settings), others }, inspection);
    return inspection;
  } catch (error) {
    throw codedError(error);
  } finally {
    abandon(client);
  }
}

/** Databases of single tenants on the same server, as far as a process has them open at once. */
async function connectionsToTenants(
  client: pg.ClientBase,
  { settings, tenants }: PostgresOptions,
): Promise<number> {
  await client.query(beginning(null, 'read only'));
  const { rows } = await client.query<{ place: string }>(
    'select place from tenants where place is not null',
  );
  await client.query('commit');
  const places = rows.map(({ place }) => JSON.parse(place) as DataPlace);
  return Math.min(countAt(serverOfMain(settings), places), tenants.openMax) * tenants.connections;
}

async function connectPatiently(options: PostgresOptions): Promise<pg.Client> {
  const { settings, clock, log, startWaitMs } = options;
  const endMs = clock.monotonicMs() + startWaitMs;
  const config = clientConfig(settings.url, 'start', START, settings.isPooled);
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await connect(config);
    } catch (error) {
      if (troubleOf(error) !== 'lost' || clock.monotonicMs() >= endMs) throw unreachable(error);
      const fields = { error: error instanceof Error ? error.message : String(error) };
      if (isFirst) log.warn('waiting for the database', fields);
    }
    await sleep(clock, RETRY_MS, NEVER);
  }
}

function unreachable(cause: unknown, setting = 'DATABASE_URL'): GatewayError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `The database cannot be used: ${why}. Check ${setting} and the server.`;
  return new GatewayError('storage_unavailable', { message, cause });
}

/** Another process, also one of a newer version, may be doing the same. */
async function update(options: PostgresOptions, runtime: string): Promise<Inspection> {
  try {
    await migrateAs(options, runtime);
  } catch (error) {
    const inspection = await look(options);
    if (isReady(inspection)) return inspection;
    throw error;
  }
  return look(options);
}

async function migrateAs(
  { settings, clock, log }: PostgresOptions,
  runtime: string,
): Promise<void> {
  const { url, migrationUrl, writerUrl } = settings;
  const writer = writerUrl === null ? runtime : roleOf(writerUrl);
  try {
    await migratePostgres(migrationUrl ?? url, { runtime, writer }, clock.wallMs());
  } catch (error) {
    if (error instanceof ConnectError) {
      throw unreachable(error, migrationUrl === null ? 'DATABASE_URL' : 'DATABASE_MIGRATION_URL');
    }
    if (!lacksRights(error)) throw codedError(error);
    throw new GatewayError('storage_unavailable', {
      message:
        `The tables of the database cannot be brought up to date: ${(error as Error).message}. ` +
        'Set DATABASE_MIGRATION_URL to the role that owns them, or run `esclusa migrate` with it.',
      retryable: false,
      cause: error,
    });
  }
  log.info('the database is up to date');
}

function lacksRights(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
}

function roleOf(url: string): string {
  return decodeURIComponent(new URL(url).username);
}

function judgeRole({ settings, log }: PostgresOptions, { role, roleRisk }: Inspection): void {
  if (roleRisk === null) return;
  const what = `The database role "${role}" ${roleRisk}, so row-level security does not bind it.`;
  const advice =
    'Give DATABASE_URL a role of its own, and DATABASE_MIGRATION_URL the one that owns the tables.';
  if (settings.strictRole) throw refusal(`${what} ${advice}`);
  log.warn('row-level security does not bind the role of the database', { role, why: roleRisk });
}
