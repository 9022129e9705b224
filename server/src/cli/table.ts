/**
 * Aligned columns of text. What came from clients (a model's name in the ledger may be
 * anything) is shown without the characters that would steer the terminal.
 */
import type { Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

const CELL_WIDTH_MAX = 48;
const GAP = '  ';

export function writeTable<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => (line[at] ?? '').length)),
  );
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return columns[at]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  terminal.write(`${terminal.style('bold', lineOf(columns.map(({ title }) => title)))}\n`);
  for (const line of cells) terminal.write(`${lineOf(line)}\n`);
}

export function printable(text: string): string {
  const safe = text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
  return safe.length > CELL_WIDTH_MAX ? `${safe.slice(0, CELL_WIDTH_MAX - 1)}…` : safe;
}
