/**
 * The audit log: rows that are only ever added, each with the hash of the one before, and the
 * one row that says where the chain ends. Whoever appends locks that row.
 */
import type { Kysely } from 'kysely';
import { type MigrationContext, textType } from './context.ts';
import { protectRows } from './row-security.ts';

export function auditTables(context: MigrationContext) {
  return async (db: Kysely<unknown>): Promise<void> => {
    await createAudit(db, textType(context));
    await protectRows(db, context, 'audit_log');
  };
}

async function createAudit(db: Kysely<unknown>, text: ReturnType<typeof textType>): Promise<void> {
  await db.schema
    .createTable('audit_head')
    .addColumn('id', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('hash', text, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('audit_log')
    .addColumn('sequence', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('tenant', text, (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('subject', text)
    .addColumn('outcome', text, (column) => column.notNull())
    .addColumn('address', text)
    .addColumn('request_id', text)
    .addColumn('details', text, (column) => column.notNull())
    .addColumn('hash', text, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('audit_by_tenant')
    .on('audit_log')
    .columns(['tenant', 'sequence'])
    .execute();
  await (db as Kysely<Seed>)
    .insertInto('audit_head')
    .values({ id: 1, sequence: 0, hash: '' })
    .execute();
}

/** The columns as they were at this migration, whatever became of the tables later. */
interface Seed {
  audit_head: { id: number; sequence: number; hash: string };
}
