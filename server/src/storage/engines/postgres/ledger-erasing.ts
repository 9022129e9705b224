/**
 * Erasing a tenant's ledger on PostgreSQL: under the role that writes the ledger, over a
 * connection that is there for it alone.
 */
import type { RunStatement } from '../../ledger-erasing.ts';
import { abandon, clientConfig, connect } from './client.ts';
import { MINUTES, type PostgresSettings } from './options.ts';
import { beginning } from './scope.ts';
import { numbered } from './scoped-database.ts';
import { codedError } from './sqlstate.ts';

/** Runs `work` as one transaction. Throws coded errors. */
export async function asEraser<T>(
  { url, writerUrl }: PostgresSettings,
  work: (run: RunStatement) => Promise<T>,
): Promise<T> {
  try {
    const client = await connect(clientConfig(writerUrl ?? url, 'erasure', MINUTES));
    try {
      await client.query(beginning(null, 'read write'));
      const result = await work(async (sql, parameters) => {
        const { rows, rowCount } = await client.query(numbered(sql), [...parameters]);
        return { rows, count: rowCount ?? 0 };
      });
      await client.query('commit');
      return result;
    } finally {
      abandon(client);
    }
  } catch (error) {
    throw codedError(error);
  }
}
