/**
 * Bringing a PostgreSQL database up to date: under the role that owns the tables, one process
 * at a time, and giving the other roles their rights afterwards.
 */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { migrate } from '../../migrations/index.ts';
import { abandon, clientConfig, connect } from './client.ts';
import { type GrantedRoles, grantRights } from './grants.ts';

/** A table that stays locked by others must not hold up everybody behind the migration. */
const LIMITS = { statementMs: 0, lockMs: 10_000, silenceMs: 0, connectMs: 10_000 };

/**
 * Throws `ConnectError` and what the failing statement threw; nothing of a failed run is left.
 * `stream` makes the sockets, where not every address may be called.
 */
export async function migratePostgres(
  url: string,
  roles: GrantedRoles,
  nowMs: number,
  stream?: pg.ClientConfig['stream'],
): Promise<void> {
  // A migration may have to touch the rows of every tenant.
  const options = '-c esclusa.tenant=*';
  const config = { ...clientConfig(url, 'migrate', LIMITS), ...(stream && { stream }) };
  abandon(await connect(config));
  const pool = new pg.Pool({ ...config, options, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined)); // also while it is held
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(db, { dialect: 'postgres', nowMs });
    await grantRights(db, roles);
  } finally {
    await db.destroy();
  }
}
