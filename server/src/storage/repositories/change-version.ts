/**
 * The rising number of a subject. Taking it locks its row until the transaction ends, so that
 * versions become visible in their order on every engine and nobody who asks for "changed
 * since" ever misses one.
 */
import type { Transaction } from 'kysely';
import type { Schema } from '../schema.ts';

export async function nextVersion(
  transaction: Transaction<Schema>,
  subject: 'api_keys' | 'tenants' | 'users' | 'families' | 'flags',
): Promise<number> {
  const { version } = await transaction
    .updateTable('change_versions')
    .set((row) => ({ version: row('version', '+', 1) }))
    .where('subject', '=', subject)
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}
