/**
 * What a migration may know: the engine it runs on and the time. The column types below are
 * the only places where the engines' definitions differ.
 */
import { type ColumnDataType, type ColumnDefinitionBuilder, type RawBuilder, sql } from 'kysely';

export interface MigrationContext {
  readonly dialect: 'sqlite' | 'postgres';
  readonly nowMs: number;
}

interface GeneratedKey {
  readonly type: ColumnDataType;
  readonly define: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
}

/** An integer key that the database counts up by itself. */
export function generatedKey({ dialect }: MigrationContext): GeneratedKey {
  return dialect === 'sqlite'
    ? { type: 'integer', define: (column) => column.primaryKey() }
    : { type: 'bigint', define: (column) => column.generatedAlwaysAsIdentity().primaryKey() };
}

/** Text that sorts by its bytes on every engine, whatever the language of the database. */
export function textType({ dialect }: MigrationContext): ColumnDataType | RawBuilder<unknown> {
  return dialect === 'sqlite' ? 'text' : sql`text collate "C"`;
}

/** Bytes of any value and length. */
export function bytesType({ dialect }: MigrationContext): ColumnDataType {
  return dialect === 'sqlite' ? 'blob' : 'bytea';
}
