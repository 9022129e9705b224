/**
 * API keys in the database. Every write takes the next change version, by which each process
 * keeps its snapshot fresh without reading all keys again.
 */
import type { Updateable } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { CacheUse, Limits, Role } from '../../gateway/model/principal.ts';
import type { KeyPatch, KeyRecord, KeyRepository } from '../../identity/ports/key-repository.ts';
import { ConstraintError, type Engine } from '../engine.ts';
import type { ApiKeysTable } from '../schema.ts';
import { nextVersion } from './change-version.ts';
import { budgetColumns, budgetOf, listColumn } from './user-row.ts';

export function createKeyRepository(engine: Engine): KeyRepository {
  return {
    async insert(record) {
      try {
        await engine.transact(record.tenant, async (transaction) => {
          const version = await nextVersion(transaction, 'api_keys');
          await transaction
            .insertInto('api_keys')
            .values({ ...rowOf(record), version })
            .execute();
        });
      } catch (error) {
        throw error instanceof ConstraintError ? refusal(record, error) : error;
      }
    },

    async get(id, tenant) {
      const db = await engine.reader(tenant);
      let query = db.selectFrom('api_keys').selectAll().where('id', '=', id);
      if (tenant !== null) query = query.where('tenant', '=', tenant);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },

    async list({ tenant, limit, beforeId }) {
      const db = await engine.reader(tenant);
      let query = db.selectFrom('api_keys').selectAll().orderBy('id', 'desc').limit(limit);
      if (tenant !== null) query = query.where('tenant', '=', tenant);
      if (beforeId !== null) query = query.where('id', '<', beforeId);
      return (await query.execute()).map(recordOf);
    },

    async update(id, tenant, patch) {
      return engine.transact(tenant, async (transaction) => {
        const version = await nextVersion(transaction, 'api_keys');
        let query = transaction
          .updateTable('api_keys')
          .set({ ...changesOf(patch), version })
          .where('id', '=', id);
        if (tenant !== null) query = query.where('tenant', '=', tenant);
        const row = await query.returningAll().executeTakeFirst();
        return row === undefined ? null : recordOf(row);
      });
    },

    async changedSince(version) {
      const rows = await engine.read<ApiKeysTable>(
        null,
        'select * from api_keys where version > ? order by version',
        [version],
      );
      return { keys: rows.map(recordOf), version: rows.at(-1)?.version ?? version };
    },
  };
}

function refusal(record: KeyRecord, cause: ConstraintError): GatewayError {
  if (cause.rule === 'foreign_key') {
    const message = `There is no tenant "${record.tenant}".`;
    return new GatewayError('invalid_request', { message, field: 'tenant', cause });
  }
  return new GatewayError('conflict', { message: 'The API key exists already.', cause });
}

function rowOf(record: KeyRecord): Omit<ApiKeysTable, 'version'> {
  return {
    id: record.id,
    tenant: record.tenant,
    hint: record.hint,
    secret_hash: record.secretHash,
    previous_hash: record.previousHash,
    previous_until_ms: record.previousUntilMs,
    role: record.role,
    created_at_ms: record.createdAtMs,
    name: record.name,
    scopes: listColumn(record.scopes),
    addresses: listColumn(record.addresses),
    cache_use: record.cacheUse,
    models: listColumn(record.models),
    limits: JSON.stringify(record.limits),
    ...budgetColumns(record.budget),
    expires_at_ms: record.expiresAtMs,
    revoked_at_ms: record.revokedAtMs,
  };
}

/** Only the columns the patch names: an absent member is not a null one. */
function changesOf(patch: KeyPatch): Updateable<ApiKeysTable> {
  return {
    ...(patch.name !== undefined && { name: patch.name }),
    ...(patch.hint !== undefined && { hint: patch.hint }),
    ...(patch.secretHash !== undefined && { secret_hash: patch.secretHash }),
    ...(patch.previousHash !== undefined && { previous_hash: patch.previousHash }),
    ...(patch.previousUntilMs !== undefined && { previous_until_ms: patch.previousUntilMs }),
    ...(patch.scopes !== undefined && { scopes: listColumn(patch.scopes) }),
    ...(patch.addresses !== undefined && { addresses: listColumn(patch.addresses) }),
    ...(patch.cacheUse !== undefined && { cache_use: patch.cacheUse }),
    ...(patch.models !== undefined && { models: listColumn(patch.models) }),
    ...(patch.limits !== undefined && { limits: JSON.stringify(patch.limits) }),
    ...(patch.budget !== undefined && budgetColumns(patch.budget)),
    ...(patch.expiresAtMs !== undefined && { expires_at_ms: patch.expiresAtMs }),
    ...(patch.revokedAtMs !== undefined && { revoked_at_ms: patch.revokedAtMs }),
  };
}

function recordOf(row: ApiKeysTable): KeyRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    hint: row.hint,
    secretHash: row.secret_hash,
    previousHash: row.previous_hash,
    previousUntilMs: row.previous_until_ms,
    role: row.role as Role,
    scopes: listOf(row.scopes),
    addresses: listOf(row.addresses),
    cacheUse: row.cache_use as CacheUse,
    models: listOf(row.models),
    limits: JSON.parse(row.limits) as Limits,
    budget: budgetOf(row),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}

function listOf(column: string | null): readonly string[] | null {
  return column === null ? null : (JSON.parse(column) as string[]);
}
