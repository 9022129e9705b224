/**
 * The second wall around sessions: a transaction that names a tenant reaches the families of
 * its people and no others, as it does the people themselves. They name no tenant, so that
 * whose they are is their person's to say.
 *
 * The version before this reaches them under the name of all tenants, or of their person's.
 */
import type { Kysely } from 'kysely';
import type { MigrationContext } from './context.ts';
import { protectRowsOfPeople } from './row-security.ts';

export function familyRows(context: MigrationContext) {
  return (db: Kysely<unknown>): Promise<void> =>
    protectRowsOfPeople(db, context, 'refresh_families');
}
