/**
 * Erasing a tenant's ledger in SQLite: statements as the writer's transaction runs them.
 */
import type { Transaction } from 'kysely';
import type { RunStatement } from '../../ledger-erasing.ts';
import type { Schema } from '../../schema.ts';

type Transact = <T>(
  tenant: null,
  work: (transaction: Transaction<Schema>) => Promise<T>,
) => Promise<T>;

export async function asEraser<T>(
  transact: Transact,
  work: (run: RunStatement) => Promise<T>,
): Promise<T> {
  const { CompiledQuery } = await import('kysely');
  return transact(null, (transaction) =>
    work(async (sql, parameters) => {
      const done = await transaction.executeQuery(CompiledQuery.raw(sql, [...parameters]));
      return { rows: done.rows, count: Number(done.numAffectedRows ?? 0n) };
    }),
  );
}
