/**
 * Tenants in the database, with the hosts they are served under. Every write takes the next
 * change version, by which each process keeps its snapshot fresh.
 */
import type { Insertable, Transaction, Updateable } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Limits } from '../../gateway/model/principal.ts';
import type { Allowance } from '../../gateway/model/terms.ts';
import type { DataPlace } from '../../tenancy/ports/data-place.ts';
import type { TenantJob } from '../../tenancy/ports/tenant-job.ts';
import type {
  TenantPatch,
  TenantRecord,
  TenantRepository,
} from '../../tenancy/ports/tenant-repository.ts';
import { ConstraintError, type Engine } from '../engine.ts';
import type { Schema, TenantHostsTable, TenantsTable } from '../schema.ts';
import { nextVersion } from './change-version.ts';
import { budgetColumns, budgetOf } from './user-row.ts';

export function createTenantRepository(engine: Engine): TenantRepository {
  return { ...writers(engine), ...readers(engine) };
}

type Writers = Pick<TenantRepository, 'insert' | 'update' | 'modify'>;

function writers(engine: Engine): Writers {
  return {
    async insert(record) {
      await refusing(record.slug, async () => {
        await engine.transact(null, async (transaction) => {
          const version = await nextVersion(transaction, 'tenants');
          await transaction
            .insertInto('tenants')
            .values({ ...rowOf(record), version })
            .execute();
          await takeHosts(transaction, record.slug, record.hosts);
          const home = { tenant: record.slug, state: 'open' } as const;
          await transaction.insertInto('data_homes').values(home).execute();
        });
      });
    },

    update: (slug, patch) => refusing(slug, () => change(engine, slug, () => patch)),
    modify: (slug, decide) => refusing(slug, () => change(engine, slug, decide)),
  };
}

/** Whoever takes the version has the tenants for itself until its transaction ends. */
function change(
  engine: Engine,
  slug: string,
  decide: Parameters<TenantRepository['modify']>[1],
): Promise<TenantRecord | null> {
  return engine.transact(null, async (transaction) => {
    const version = await nextVersion(transaction, 'tenants');
    const before = await find(transaction, slug);
    const patch = before === null ? null : decide(before);
    if (patch === null) return null;
    await transaction
      .updateTable('tenants')
      .set({ ...changesOf(patch), version })
      .where('slug', '=', slug)
      .execute();
    if (patch.hosts !== undefined) {
      await transaction.deleteFrom('tenant_hosts').where('tenant', '=', slug).execute();
      await takeHosts(transaction, slug, patch.hosts);
    }
    return find(transaction, slug);
  });
}

async function find(transaction: Transaction<Schema>, slug: string): Promise<TenantRecord | null> {
  const row = await transaction
    .selectFrom('tenants')
    .selectAll()
    .where('slug', '=', slug)
    .executeTakeFirst();
  const hosts = await transaction
    .selectFrom('tenant_hosts')
    .selectAll()
    .where('tenant', '=', slug)
    .execute();
  return row === undefined ? null : recordOf(row, hosts);
}

function readers(engine: Engine): Omit<TenantRepository, keyof Writers> {
  return {
    async get(slug) {
      const rows = await engine.read<TenantsTable>(null, 'select * from tenants where slug = ?', [
        slug,
      ]);
      const hosts = await engine.read<TenantHostsTable>(
        null,
        'select * from tenant_hosts where tenant = ?',
        [slug],
      );
      return rows[0] === undefined ? null : recordOf(rows[0], hosts);
    },

    async list({ limit, afterSlug }) {
      const db = await engine.reader(null);
      let query = db.selectFrom('tenants').selectAll().orderBy('slug').limit(limit);
      if (afterSlug !== null) query = query.where('slug', '>', afterSlug);
      const rows = await query.execute();
      if (rows.length === 0) return [];
      const slugs = rows.map(({ slug }) => slug);
      const hosts = await db
        .selectFrom('tenant_hosts')
        .selectAll()
        .where('tenant', 'in', slugs)
        .execute();
      return rows.map((row) => recordOf(row, hosts));
    },

    async changedSince(version) {
      const rows = await engine.read<TenantsTable>(
        null,
        'select * from tenants where version > ? order by version',
        [version],
      );
      if (rows.length === 0) return { tenants: [], version: await currentVersion(engine, version) };
      const hosts = await engine.read<TenantHostsTable>(
        null,
        'select h.* from tenant_hosts h join tenants t on t.slug = h.tenant where t.version > ?',
        [version],
      );
      const tenants = rows.map((row) => recordOf(row, hosts));
      return { tenants, version: rows.at(-1)?.version ?? version };
    },
  };
}

/** Below the version asked for where the database was restored. */
async function currentVersion(engine: Engine, version: number): Promise<number> {
  const [row] = await engine.read<{ version: number }>(
    null,
    "select version from change_versions where subject = 'tenants'",
    [],
  );
  return Math.min(row?.version ?? 0, version);
}

async function takeHosts(
  transaction: Transaction<Schema>,
  tenant: string,
  hosts: readonly string[],
): Promise<void> {
  if (hosts.length === 0) return;
  const rows = hosts.map((host) => ({ host, tenant }));
  await transaction.insertInto('tenant_hosts').values(rows).execute();
}

async function refusing<T>(slug: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw refusal(slug, error);
  }
}

function refusal(slug: string, cause: ConstraintError): GatewayError {
  if (/tenant_hosts/.test(cause.message)) {
    const message = 'One of these hosts belongs to another tenant.';
    return new GatewayError('conflict', { message, field: 'hosts', cause });
  }
  const message = `A tenant with the slug "${slug}" exists already.`;
  return new GatewayError('conflict', { message, field: 'slug', cause });
}

function rowOf(record: TenantRecord): Insertable<Omit<TenantsTable, 'version'>> {
  return {
    id: record.id,
    slug: record.slug,
    name: record.name,
    created_at_ms: record.createdAtMs,
    suspended_at_ms: record.suspendedAtMs,
    limits: JSON.stringify(record.limits),
    ...budgetColumns(record.budget),
    models: JSON.stringify(record.models),
    place: jsonColumn(record.place),
    job: jsonColumn(record.job),
    erased_at_ms: record.erasedAtMs,
  };
}

/** Only the columns the patch names: an absent member is not a null one. */
function changesOf(patch: TenantPatch): Updateable<TenantsTable> {
  return {
    ...(patch.name !== undefined && { name: patch.name }),
    ...(patch.suspendedAtMs !== undefined && { suspended_at_ms: patch.suspendedAtMs }),
    ...(patch.limits !== undefined && { limits: JSON.stringify(patch.limits) }),
    ...(patch.budget !== undefined && budgetColumns(patch.budget)),
    ...(patch.models !== undefined && { models: JSON.stringify(patch.models) }),
    ...(patch.place !== undefined && { place: jsonColumn(patch.place) }),
    ...(patch.job !== undefined && { job: jsonColumn(patch.job) }),
    ...(patch.erasedAtMs !== undefined && { erased_at_ms: patch.erasedAtMs }),
  };
}

function recordOf(row: TenantsTable, hosts: readonly TenantHostsTable[]): TenantRecord {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    createdAtMs: row.created_at_ms,
    suspendedAtMs: row.suspended_at_ms,
    hosts: hosts
      .filter(({ tenant }) => tenant === row.slug)
      .map(({ host }) => host)
      .sort(),
    limits: row.limits === null ? {} : (JSON.parse(row.limits) as Limits),
    budget: budgetOf(row),
    models: JSON.parse(row.models) as Record<string, Allowance>,
    place: row.place === null ? null : (JSON.parse(row.place) as DataPlace),
    job: row.job === null ? null : (JSON.parse(row.job) as TenantJob),
    erasedAtMs: row.erased_at_ms,
  };
}

function jsonColumn(value: DataPlace | TenantJob | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
