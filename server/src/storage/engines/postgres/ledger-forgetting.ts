/**
 * Forgetting ledger rows on PostgreSQL, over a connection that is there for it alone: summing up
 * a month may take minutes, and nobody else may wait for that.
 */

import { abandon, clientConfig, connect } from './client.ts';
import { MINUTES, type PostgresSettings } from './options.ts';
import { codedError } from './sqlstate.ts';

const FORGET = 'select esclusa_forget_ledger($1, $2) as forgotten';

/** Answers how many rows went. Throws coded errors. */
export async function forgetRows(
  { url, writerUrl }: PostgresSettings,
  createdBeforeMs: number,
  limit: number,
): Promise<number> {
  try {
    const client = await connect(clientConfig(writerUrl ?? url, 'retention', MINUTES));
    try {
      const { rows } = await client.query(FORGET, [createdBeforeMs, limit]);
      return Number(rows[0]?.forgotten);
    } finally {
      abandon(client);
    }
  } catch (error) {
    throw codedError(error);
  }
}
