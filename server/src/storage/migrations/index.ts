/**
 * The numbered migrations, forward only, and the one way to run them. Names sort in the order
 * of their numbers; a migration that was released is never edited.
 *
 * The whole run is one transaction under the engine's migration lock, so that of two
 * processes starting at once one migrates and the other finds it done.
 */
import type { Kysely } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { MigrationContext } from './context.ts';

export const MIGRATION_NAMES: readonly string[] = [
  '0001-control',
  '0002-ledger',
  '0003-bodies',
  '0004-responses',
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
  const [{ Migrator }, { controlTables }, { ledgerTables }, { bodyTables }, { responseTables }] =
    await Promise.all([
      import('kysely/migration'),
      import('./0001-control.ts'),
      import('./0002-ledger.ts'),
      import('./0003-bodies.ts'),
      import('./0004-responses.ts'),
    ]);
  const migrations = {
    '0001-control': { up: controlTables(context) },
    '0002-ledger': { up: ledgerTables(context) },
    '0003-bodies': { up: bodyTables(context) },
    '0004-responses': { up: responseTables(context) },
  };
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
