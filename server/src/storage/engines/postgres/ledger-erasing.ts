/**
 * Erasing a tenant's ledger on PostgreSQL: under the role that writes the ledger, over a
 * connection that is there for it alone.
 */
import { ERASING, type LedgerErasure, parametersOf } from '../../ledger-erasing.ts';
import { abandon, clientConfig, connect } from './client.ts';
import { MINUTES, type PostgresSettings } from './options.ts';
import { beginning } from './scope.ts';
import { numbered } from './scoped-database.ts';
import { codedError } from './sqlstate.ts';

/** Answers how many rows that concerned. Throws coded errors. */
export async function eraseRows(
  { url, writerUrl }: PostgresSettings,
  tenant: string,
  how: LedgerErasure,
  limit: number,
): Promise<number> {
  try {
    const client = await connect(clientConfig(writerUrl ?? url, 'erasure', MINUTES));
    try {
      let rows = 0;
      await client.query(beginning(null, 'read write'));
      for (const statement of ERASING[how]) {
        const values = [...parametersOf(statement, tenant, limit)];
        const { rowCount } = await client.query(numbered(statement.sql), values);
        if (statement.isCounted) rows += rowCount ?? 0;
      }
      await client.query('commit');
      return rows;
    } finally {
      abandon(client);
    }
  } catch (error) {
    throw codedError(error);
  }
}
