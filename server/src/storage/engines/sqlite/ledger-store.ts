/**
 * The ledger in SQLite: journal records as rows, many in one transaction together with the
 * journal's new position.
 */
import type { Spending, SpendingQuestion } from '../../../gateway/ports/budget-store.ts';
import {
  LEDGER_COLUMNS,
  type LedgerValue,
  LONGEST_EXCHANGE_MS,
  spendingColumns,
  valuesOf,
} from '../../applying/ledger-row.ts';
import type { Judgement, LedgerStore } from '../../applying/ledger-store.ts';
import type { JournalPosition } from '../../journal/position.ts';
import type { JournalRecord } from '../../journal/record.ts';
import { dayOf } from '../../usage-days.ts';
import type { Connection } from './connection.ts';
import { isUnavailable, refusesValues, resultCodeOf } from './result-codes.ts';

const NAMES_KEPT_MAX = 20_000;
/** Short, because calls of the main thread wait meanwhile; who fails here tries again. */
const BUSY_TIMEOUT_MS = 100;

const INSERT_ROW =
  `insert into requests (${LEDGER_COLUMNS.map(([column]) => column).join(', ')}) ` +
  `values (${LEDGER_COLUMNS.map(() => '?').join(', ')}) on conflict (id) do nothing`;
const INSERT_NAME = 'insert into names (text) values (?) on conflict (text) do nothing';
const FIND_NAME = 'select id from names where text = ?';
const FIND_POSITION = 'select segment, byte_offset from journal_positions where instance = ?';
const MOVE_POSITION =
  'insert into journal_positions (instance, segment, byte_offset) values (?, ?, ?) ' +
  'on conflict (instance) do update set segment = excluded.segment, ' +
  'byte_offset = excluded.byte_offset';
const FORGET_POSITION = 'delete from journal_positions where instance = ?';

export class SqliteLedgerStore implements LedgerStore {
  readonly #connection: Connection;
  /** Dictionary entries seen lately; emptied when a transaction fails, for its own are gone. */
  readonly #names = new Map<string, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  free(): Promise<void> {
    return this.#connection.free();
  }

  write(instance: string, records: readonly JournalRecord[], position: JournalPosition): void {
    try {
      this.#connection.transaction(BUSY_TIMEOUT_MS, () => {
        for (const record of records) this.#insert(valuesOf(record, this.#nameId));
        this.#connection.prepare(MOVE_POSITION).run(instance, position.segment, position.offset);
      });
    } catch (error) {
      this.#names.clear();
      throw error;
    }
  }

  position(instance: string): JournalPosition | null {
    const row = this.#connection.prepare(FIND_POSITION).get(instance);
    if (row === undefined) return null;
    return { segment: Number(row.segment), offset: Number(row.byte_offset) };
  }

  forget(instance: string): void {
    this.#connection.transaction(BUSY_TIMEOUT_MS, () => {
      this.#connection.prepare(FORGET_POSITION).run(instance);
    });
  }

  /** Straight from an index for a key and a tenant. Exchanges without a price add nothing. */
  spentNanousd(scopeId: string, sinceMs: number): number {
    const { spent, names } = conditionsOf(scopeId);
    const row = this.#connection
      .prepare(`select ${spent} as spent`)
      .get(...names, sinceMs, ...names, dayOf(sinceMs));
    return Number(row?.spent);
  }

  /** The sum apart from the ids: an index holds all of it, and nothing else of all those rows. */
  spending({ scopeId, sinceMs, endedSinceMs }: SpendingQuestion): Spending {
    const { spent, rows, names } = conditionsOf(scopeId);
    const fromMs = Math.max(sinceMs, endedSinceMs - LONGEST_EXCHANGE_MS);
    const row = this.#connection
      .prepare(
        `select ${spent} as spent, (select json_group_array(id) from requests ` +
          `where ${rows} and created_at_ms + duration_us / 1000 >= ?) as recent`,
      )
      .get(...names, sinceMs, ...names, dayOf(sinceMs), ...names, fromMs, endedSinceMs);
    const recentIds = JSON.parse(String(row?.recent)) as readonly string[];
    return { spentNanousd: Number(row?.spent), recentIds };
  }

  judge(error: unknown): Judgement {
    const code = resultCodeOf(error);
    if (isUnavailable(code)) return 'later';
    return refusesValues(code) ? 'never' : 'unknown';
  }

  #insert(values: readonly LedgerValue[]): void {
    this.#connection.prepare(INSERT_ROW).run(...values);
  }

  readonly #nameId = (text: string): number => {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    this.#connection.prepare(INSERT_NAME).run(text);
    const id = Number(this.#connection.prepare(FIND_NAME).get(text)?.id);
    if (this.#names.size >= NAMES_KEPT_MAX) this.#names.clear();
    this.#names.set(text, id);
    return id;
  };
}

/**
 * Of the rows, and the sum over them and over the days of those that were forgotten. Parameters
 * are the names and the instant; of the sum the names and the day besides.
 */
function conditionsOf(scopeId: string) {
  const columns = spendingColumns(scopeId);
  const is = columns.map(([column]) => `${column} = (select id from names where text = ?)`);
  const rows = [...is, 'created_at_ms >= ?'].join(' and ');
  const days = [...is, 'day >= ?'].join(' and ');
  return {
    rows,
    spent:
      `(select coalesce(sum(cost_nanousd), 0) from requests where ${rows}) ` +
      `+ (select coalesce(sum(cost_nanousd), 0) from usage_days where ${days})`,
    names: columns.map(([, name]) => name),
  };
}
