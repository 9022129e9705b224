/**
 * Feature flags in the database. A write names the version it was made from, so that of two who
 * change one flag at once the second is told.
 */
import type { FlagRecord, FlagRepository } from '../../operations/ports/flag-repository.ts';
import type { Engine } from '../engine.ts';
import type { FeatureFlagsTable } from '../schema.ts';
import { nextVersion } from './change-version.ts';

export function createFlagRepository(engine: Engine): FlagRepository {
  return {
    async all() {
      const sql = 'select * from feature_flags order by name';
      return (await engine.read<FeatureFlagsTable>(null, sql, [])).map(recordOf);
    },

    async save(record) {
      return engine.transact(null, async (transaction) => {
        // Taken first: it lets one writer in at a time, so that none fails for the other.
        await nextVersion(transaction, 'flags');
        const { name, version } = record;
        const stored = await transaction
          .selectFrom('feature_flags')
          .select('version')
          .where('name', '=', name)
          .executeTakeFirst();
        if ((stored?.version ?? 0) !== version - 1) return false;
        const row = rowOf(record);
        await transaction
          .insertInto('feature_flags')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
          .execute();
        return true;
      });
    },

    async remove(name) {
      return engine.transact(null, async (transaction) => {
        await nextVersion(transaction, 'flags');
        const { numDeletedRows } = await transaction
          .deleteFrom('feature_flags')
          .where('name', '=', name)
          .executeTakeFirst();
        return numDeletedRows > 0n;
      });
    },
  };
}

function rowOf(record: FlagRecord): FeatureFlagsTable {
  const { enabled, percentage, by, tenants, rollout } = record;
  return {
    name: record.name,
    definition: JSON.stringify({ enabled, percentage, by, tenants }),
    rollout: rollout === null ? null : JSON.stringify(rollout),
    version: record.version,
    updated_at_ms: record.updatedAtMs,
    updated_by: record.updatedBy,
  };
}

function recordOf(row: FeatureFlagsTable): FlagRecord {
  return {
    ...JSON.parse(row.definition),
    name: row.name,
    rollout: row.rollout === null ? null : JSON.parse(row.rollout),
    version: row.version,
    updatedAtMs: row.updated_at_ms,
    updatedBy: row.updated_by,
  };
}
