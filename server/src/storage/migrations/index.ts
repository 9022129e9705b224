/**
 * The numbered migrations, forward only, and the one way to run them. A migration that was
 * released is never edited.
 *
 * The rule: a migration only adds. Tables, columns that may be absent or have a default,
 * indexes, wider rules; nothing that the version before reads or writes goes away or changes
 * its meaning. So instances of that version serve on while a newer one migrates, and can be
 * started again after it. What cannot keep the rule raises the era (`compatibility.ts`).
 *
 * The whole run is one transaction under the engine's migration lock, so that of two
 * processes starting at once one migrates and the other finds it done.
 */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { MigrationContext } from './context.ts';

type Up = (db: Kysely<unknown>) => Promise<void>;

/** Loaded when there is something to migrate. */
const MIGRATIONS: Readonly<Record<string, (context: MigrationContext) => Promise<Up>>> = {
  '0001-control': async (context) => (await import('./0001-control.ts')).controlTables(context),
  '0002-ledger': async (context) => (await import('./0002-ledger.ts')).ledgerTables(context),
  '0003-bodies': async (context) => (await import('./0003-bodies.ts')).bodyTables(context),
  '0004-responses': async (context) =>
    (await import('./0004-responses.ts')).responseTables(context),
  '0005-people': async (context) => (await import('./0005-people.ts')).peopleTables(context),
  '0006-audit': async (context) => (await import('./0006-audit.ts')).auditTables(context),
  '0008-installation': async (context) =>
    (await import('./0008-installation.ts')).installationTable(context),
  '0009-usage-days': async (context) => (await import('./0009-usage-days.ts')).usageDays(context),
  '0013-tenants': async (context) => (await import('./0013-tenants.ts')).tenantColumns(context),
  '0014-homes': async (context) => (await import('./0014-homes.ts')).homeTables(context),
  '0017-flags': async (context) => (await import('./0017-flags.ts')).flagTables(context),
  '0018-key-cache': async (context) =>
    (await import('./0018-key-cache.ts')).keyCacheColumn(context),
  '0019-jobs': async (context) => (await import('./0019-jobs.ts')).jobTables(context),
  '0025-prompts': async () => (await import('./0025-prompts.ts')).promptColumn,
  '0035-family-rows': async (context) =>
    (await import('./0035-family-rows.ts')).familyRows(context),
};

export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

/** Brings the database up to date; throws what the failing statement threw. */
export async function migrate(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  const [{ Migrator }, migrations] = await Promise.all([
    import('kysely/migration'),
    loadMigrations(context),
  ]);
  const migrator = new Migrator({
    ...{ db, provider: { getMigrations: async () => migrations } },
    allowUnorderedMigrations: true, // numbers are given to parts of the program, not in time
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function loadMigrations(context: MigrationContext): Promise<Record<string, Migration>> {
  const load = async ([name, of]: (typeof entries)[number]) => [name, { up: await of(context) }];
  const entries = Object.entries(MIGRATIONS);
  return Object.fromEntries(await Promise.all(entries.map(load)));
}
