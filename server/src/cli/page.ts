/**
 * One page of a list, as a table or as the JSON that the control plane answers with. The
 * command line's cursor is the last identifier: whoever has the data needs no signature.
 */
import { type VerbContext, writeJson, writeLine } from './context.ts';
import { type Column, writeTable } from './table.ts';

/** `rows` may hold one row more than `limit`, to tell that more follow. */
export function writePage<Row extends { readonly id: string }>(
  context: VerbContext,
  rows: readonly Row[],
  limit: number,
  columns: readonly Column<Row>[],
): void {
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
  if (context.isJson) {
    writeJson(context, { data: shown, next });
    return;
  }
  if (shown.length === 0) {
    writeLine(context, context.say.none);
    return;
  }
  writeTable(context.terminal, columns, shown);
  if (next === null) return;
  const more = context.say.more(`--before ${next}`);
  writeLine(context, context.terminal.style('dim', more));
}
