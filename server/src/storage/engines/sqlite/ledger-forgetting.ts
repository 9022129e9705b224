/**
 * Forgetting ledger rows in SQLite: some of the eldest at a time, added to the sums of their
 * days and deleted in one transaction, so that nobody who writes waits long.
 */
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { addToDays } from '../../usage-days.ts';

const IDS = '(select value from json_each(?))';
const [BEFORE_IDS = '', BEHIND_IDS = ''] = addToDays(`requests where id in ${IDS}`).split(IDS);

/** Answers how many went. */
export async function forgetRows(
  transaction: Kysely<Schema>,
  createdBeforeMs: number,
  limit: number,
): Promise<number> {
  const due = await transaction
    .selectFrom('requests')
    .select('id')
    .where('created_at_ms', '<', createdBeforeMs)
    .orderBy('created_at_ms')
    .orderBy('id')
    .limit(limit)
    .execute();
  if (due.length === 0) return 0;
  const ids = sql`(select value from json_each(${JSON.stringify(due.map(({ id }) => id))}))`;
  await sql`${sql.raw(BEFORE_IDS)}${ids}${sql.raw(BEHIND_IDS)}`.execute(transaction);
  await sql`delete from requests where id in ${ids}`.execute(transaction);
  return due.length;
}
