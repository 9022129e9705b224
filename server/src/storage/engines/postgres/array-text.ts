/**
 * A column of a batch as PostgreSQL writes an array: one text, made here at a quarter of what the
 * driver takes for it, which looks at each value for whatever it might be.
 */
import type { LedgerValue } from '../../applying/ledger-row.ts';
import { storable } from './text.ts';

const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;

export function arrayText(rows: readonly (readonly LedgerValue[])[], column: number): string {
  let text = '';
  for (const row of rows) {
    const value = row[column] ?? null;
    const word = typeof value === 'string' ? quoted(storable(value)) : (value ?? 'NULL');
    text += text === '' ? word : `,${word}`;
  }
  return `{${text}}`;
}

function quoted(text: string): string {
  return `"${NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, '\\$&') : text}"`;
}
