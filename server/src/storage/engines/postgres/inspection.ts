/**
 * What a server and a role are, asked once at the start, and whether we can work with them:
 * the version, the rights of the role that requests run under, the connections it gives.
 */
import type pg from 'pg';
import { GatewayError } from '../../../gateway/model/errors.ts';
import { type ConnectionDemand, overBudget } from './budget.ts';

export interface Inspection {
  readonly version: string;
  readonly role: string;
  /** Why row-level security does not bind this role; null: it does. */
  readonly roleRisk: string | null;
  readonly maxConnections: number;
  /** The role may read the tables that are there. */
  readonly hasRights: boolean;
  /** The migrations that are applied. */
  readonly migrations: readonly string[];
}

interface Facts {
  readonly version: string;
  readonly version_num: number;
  readonly role: string;
  readonly is_superuser: boolean;
  readonly bypasses: boolean;
  readonly owns: boolean;
  readonly max_connections: number;
  readonly reserved: number;
  readonly has_migrations: boolean;
  readonly has_rights: boolean;
}

const VERSION_MIN = 150_000;
const FACTS = `
  select current_setting('server_version') as version,
    current_setting('server_version_num')::int as version_num,
    current_user::text as role, rolsuper as is_superuser, rolbypassrls as bypasses,
    exists (
      select from pg_class where oid = to_regclass('tenants')
        and pg_has_role(current_user, relowner, 'usage')
    ) as owns,
    current_setting('max_connections')::int as max_connections,
    current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
    to_regclass('kysely_migration') is not null as has_migrations,
    coalesce(has_table_privilege(to_regclass('tenants'), 'select'), false) as has_rights
  from pg_roles where rolname = current_user`;

/** Throws what cannot be worked with, with the numbers, and what the driver says. */
export async function inspect(
  client: pg.ClientBase,
  demand: ConnectionDemand,
): Promise<Inspection> {
  const facts = (await client.query<Facts>(FACTS)).rows[0];
  if (facts === undefined) throw refusal('The role of the database address does not exist.');
  if (facts.version_num < VERSION_MIN) {
    throw refusal(`PostgreSQL ${facts.version} is too old; version 15 or newer is needed.`);
  }
  const { max_connections: maxConnections, reserved } = facts;
  const excess = overBudget(demand, { maxConnections, reserved });
  if (excess !== null) throw refusal(excess);
  return {
    version: facts.version,
    role: facts.role,
    roleRisk: riskOf(facts),
    maxConnections,
    hasRights: facts.has_rights,
    migrations: facts.has_migrations && facts.has_rights ? await appliedMigrations(client) : [],
  };
}

function riskOf({ is_superuser, bypasses, owns }: Facts): string | null {
  if (is_superuser) return 'is a superuser';
  if (bypasses) return 'has BYPASSRLS';
  return owns ? 'owns the tables' : null;
}

async function appliedMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select name from kysely_migration order by name',
  );
  return rows.map(({ name }) => name);
}

export function refusal(message: string): GatewayError {
  return new GatewayError('storage_unavailable', { message, retryable: false });
}
