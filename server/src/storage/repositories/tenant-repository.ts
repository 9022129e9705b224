/**
 * Tenants in the database.
 */
import type { Insertable } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { TenantRecord, TenantRepository } from '../../tenancy/ports/tenant-repository.ts';
import { ConstraintError, type Engine } from '../engine.ts';
import type { TenantsTable } from '../schema.ts';
import { nextVersion } from './change-version.ts';

export function createTenantRepository(engine: Engine): TenantRepository {
  return {
    async insert(record) {
      try {
        await engine.transact(null, async (transaction) => {
          await nextVersion(transaction, 'tenants');
          await transaction.insertInto('tenants').values(rowOf(record)).execute();
        });
      } catch (error) {
        if (!(error instanceof ConstraintError)) throw error;
        const message = `A tenant with the slug "${record.slug}" exists already.`;
        throw new GatewayError('conflict', { message, field: 'slug', cause: error });
      }
    },

    async get(slug) {
      const db = await engine.reader(null);
      const row = await db
        .selectFrom('tenants')
        .selectAll()
        .where('slug', '=', slug)
        .executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },

    async list({ limit, afterSlug }) {
      const db = await engine.reader(null);
      let query = db.selectFrom('tenants').selectAll().orderBy('slug').limit(limit);
      if (afterSlug !== null) query = query.where('slug', '>', afterSlug);
      return (await query.execute()).map(recordOf);
    },
  };
}

function rowOf({ id, slug, name, createdAtMs }: TenantRecord): Insertable<TenantsTable> {
  return { id, slug, name, created_at_ms: createdAtMs };
}

function recordOf({ id, slug, name, created_at_ms }: TenantsTable): TenantRecord {
  return { id, slug, name, createdAtMs: created_at_ms };
}
