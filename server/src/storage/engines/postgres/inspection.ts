/**
 * What a server and a role are, asked once at the start, and whether we can work with them:
 * the version, the rights of the role that requests run under, the connections it gives.
 */
import type pg from 'pg';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { AppliedSchema } from '../../migrations/compatibility.ts';
import { type ConnectionDemand, type ConnectionSupply, overBudget } from './budget.ts';

export interface Inspection {
  readonly version: string;
  readonly role: string;
  /** Why row-level security does not bind this role; null: it does. */
  readonly roleRisk: string | null;
  readonly supply: ConnectionSupply;
  /** The role may read the tables that are there. */
  readonly hasRights: boolean;
  readonly schema: AppliedSchema;
}

interface Facts {
  readonly version: string;
  readonly version_num: number;
  readonly encoding: string;
  readonly role: string;
  readonly is_superuser: boolean;
  readonly bypasses: boolean;
  readonly owns: boolean;
  readonly max_connections: number;
  readonly reserved: number;
  readonly has_migrations: boolean;
  readonly has_rights: boolean;
  readonly has_era: boolean;
}

const VERSION_MIN = 150_000;
const ENCODING = 'UTF8';
const FACTS = `
  select current_setting('server_version') as version,
    current_setting('server_version_num')::int as version_num,
    current_setting('server_encoding') as encoding,
    current_user::text as role, rolsuper as is_superuser, rolbypassrls as bypasses,
    exists (
      select from pg_class where oid = to_regclass('tenants')
        and pg_has_role(current_user, relowner, 'usage')
    ) as owns,
    current_setting('max_connections')::int as max_connections,
    current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
    to_regclass('kysely_migration') is not null as has_migrations,
    coalesce(has_table_privilege(to_regclass('tenants'), 'select'), false)
      and coalesce(has_table_privilege(to_regclass('installation'), 'select'), true) as has_rights,
    to_regclass('installation') is not null as has_era
  from pg_roles where rolname = current_user`;

/** Throws what cannot be worked with, with the numbers, and what the driver says. */
export async function inspect(client: pg.ClientBase): Promise<Inspection> {
  const facts = (await client.query<Facts>(FACTS)).rows[0];
  if (facts === undefined) throw refusal('The role of the database address does not exist.');
  if (facts.version_num < VERSION_MIN) {
    throw refusal(`PostgreSQL ${facts.version} is too old; version 15 or newer is needed.`);
  }
  if (facts.encoding !== ENCODING) {
    const why = `The encoding of the database is ${facts.encoding}, which not every text fits in`;
    throw refusal(`${why}; make one with the encoding ${ENCODING}.`);
  }
  const { max_connections: maxConnections, reserved } = facts;
  return {
    version: facts.version,
    role: facts.role,
    roleRisk: riskOf(facts),
    supply: { maxConnections, reserved },
    hasRights: facts.has_rights,
    schema: await appliedSchema(client, facts),
  };
}

/** Throws the numbers, where more connections may be wanted than there are. */
export function requireBudget(demand: ConnectionDemand, { supply }: Inspection): void {
  const excess = overBudget(demand, supply);
  if (excess !== null) throw refusal(excess);
}

function riskOf({ is_superuser, bypasses, owns }: Facts): string | null {
  if (is_superuser) return 'is a superuser';
  if (bypasses) return 'has BYPASSRLS';
  return owns ? 'owns the tables' : null;
}

/** What the tables say of themselves. */
export async function appliedSchema(
  client: pg.ClientBase,
  facts: Pick<Facts, 'has_migrations' | 'has_rights' | 'has_era'>,
): Promise<AppliedSchema> {
  const { has_migrations: hasMigrations, has_rights: hasRights, has_era: hasEra } = facts;
  if (!hasMigrations || !hasRights) return { migrations: [], era: null };
  const names = await client.query<{ name: string }>(
    'select name from kysely_migration order by name',
  );
  const eras = hasEra
    ? await client.query<{ value: string }>(
        "select value from installation where name = 'schema_era'",
      )
    : null;
  const era = eras?.rows[0]?.value;
  return {
    migrations: names.rows.map(({ name }) => name),
    era: era === undefined ? null : Number(era),
  };
}

export function refusal(message: string): GatewayError {
  return new GatewayError('storage_unavailable', { message, retryable: false });
}
