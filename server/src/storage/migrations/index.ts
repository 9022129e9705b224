/**
 * The numbered migrations, forward only, and the one way to run them. Names sort in the order
 * of their numbers; a migration that was released is never edited.
 *
 * The whole run is one transaction under the engine's migration lock, so that of two
 * processes starting at once one migrates and the other finds it done.
 */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { MigrationContext } from './context.ts';

export const MIGRATION_NAMES: readonly string[] = [
  '0001-control',
  '0002-ledger',
  '0003-bodies',
  '0004-responses',
  '0005-people',
  '0006-audit',
  '0013-tenants',
  '0018-key-cache',
];

/**
 * `current`: every migration is applied. `behind`: some are missing.
 * Throws `storage_unavailable` where the database has migrations this program does not know.
 */
export function compareMigrations(applied: readonly string[]): 'current' | 'behind' {
  const unknown = applied.find((name) => !MIGRATION_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new GatewayError('storage_unavailable', {
      message:
        `The database was written by a newer version (migration ${unknown}). ` +
        'Start that version, or restore a backup made before it.',
      retryable: false,
    });
  }
  return applied.length === MIGRATION_NAMES.length ? 'current' : 'behind';
}

/** Brings the database up to date; throws what the failing statement threw. */
export async function migrate(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  const [{ Migrator }, migrations] = await Promise.all([
    import('kysely/migration'),
    loadMigrations(context),
  ]);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function loadMigrations(context: MigrationContext): Promise<Record<string, Migration>> {
  const [control, ledger, bodies, responses, people, audit, tenants, keyCache] = await Promise.all([
    import('./0001-control.ts'),
    import('./0002-ledger.ts'),
    import('./0003-bodies.ts'),
    import('./0004-responses.ts'),
    import('./0005-people.ts'),
    import('./0006-audit.ts'),
    import('./0013-tenants.ts'),
    import('./0018-key-cache.ts'),
  ]);
  return {
    '0001-control': { up: control.controlTables(context) },
    '0002-ledger': { up: ledger.ledgerTables(context) },
    '0003-bodies': { up: bodies.bodyTables(context) },
    '0004-responses': { up: responses.responseTables(context) },
    '0005-people': { up: people.peopleTables(context) },
    '0006-audit': { up: audit.auditTables(context) },
    '0013-tenants': { up: tenants.tenantColumns(context) },
    '0018-key-cache': { up: keyCache.keyCacheColumn(context) },
  };
}
