/**
 * The ledger in PostgreSQL: a batch of journal records as one statement, in one transaction
 * with the journal's new position. Names are added before and by themselves, in their order, so
 * that processes writing at once neither wait for each other long nor lock crosswise.
 *
 * 1. Only what the server refuses for the values' own sake counts as a record's fault; a missing
 *    right or table does not, for it would send every record aside.
 * 2. After any other trouble the next attempt begins with a connection of its own, and with
 *    nothing remembered: the server may be another one, or know less than it did.
 */
import type pg from 'pg';
import type { Spending, SpendingQuestion } from '../../../gateway/ports/budget-store.ts';
import {
  LEDGER_COLUMNS,
  LONGEST_EXCHANGE_MS,
  namesOf,
  spendingColumns,
  valuesOf,
} from '../../applying/ledger-row.ts';
import type { Judgement, LedgerStore } from '../../applying/ledger-store.ts';
import type { JournalPosition } from '../../journal/position.ts';
import type { JournalRecord } from '../../journal/record.ts';
import { MONTHS_AHEAD } from '../../migrations/ledger-partitions.ts';
import { dayOf } from '../../usage-days.ts';
import { arrayText } from './array-text.ts';
import { abandon, connect } from './client.ts';
import { beginning } from './scope.ts';
import { endsConnection, troubleOf } from './sqlstate.ts';
import { storable } from './text.ts';

const NAMES_KEPT_MAX = 20_000;
/** As long as questions are waited for. */
const QUESTION_MS = 5000;

const COLUMN_LIST = LEDGER_COLUMNS.map(([column]) => column).join(', ');
const UNNEST_LIST = LEDGER_COLUMNS.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ');
const INSERT_ROWS =
  `insert into requests (${COLUMN_LIST}) select * from unnest(${UNNEST_LIST}) ` +
  'on conflict do nothing';
const INSERT_NAMES =
  'insert into names (text) select unnest($1::text[]) on conflict (text) do nothing';
const FIND_NAMES = 'select id, text from names where text = any($1::text[])';
const FIND_POSITION = 'select segment, byte_offset from journal_positions where instance = $1';
const MOVE_POSITION =
  'insert into journal_positions (instance, segment, byte_offset) values ($1, $2, $3) ' +
  'on conflict (instance) do update set segment = excluded.segment, ' +
  'byte_offset = excluded.byte_offset';
const MAKE_PARTITIONS = 'select esclusa_make_partitions($1, $2)';
const FORGET_POSITION = 'delete from journal_positions where instance = $1';

export class PostgresLedgerStore implements LedgerStore {
  readonly #config: pg.ClientConfig;
  readonly #questionMs: number;
  #client: pg.Client | null = null;
  /** Dictionary entries seen lately; they are committed before they get here. */
  readonly #names = new Map<string, number>();

  constructor(config: pg.ClientConfig, questionMs = QUESTION_MS) {
    this.#config = config;
    this.#questionMs = questionMs;
  }

  free(): void {
    // The connection serves nobody else.
  }

  async write(
    instance: string,
    records: readonly JournalRecord[],
    position: JournalPosition,
  ): Promise<void> {
    await this.#learnNames(records);
    const rows = records.map((record) => valuesOf(record, (text) => this.#nameId(text)));
    const columns = LEDGER_COLUMNS.map((_, at) => arrayText(rows, at));
    await this.#transaction(async (client) => {
      if (rows.length > 0) await client.query(INSERT_ROWS, columns);
      await client.query(MOVE_POSITION, [instance, position.segment, position.offset]);
    });
  }

  async position(instance: string): Promise<JournalPosition | null> {
    const { rows } = await this.#ask(FIND_POSITION, [instance]);
    const row = rows[0];
    return row === undefined ? null : { segment: row.segment, offset: row.byte_offset };
  }

  async forget(instance: string): Promise<void> {
    await this.#ask(FORGET_POSITION, [instance]); // coming back to life would harm nobody
  }

  async spentNanousd(scopeId: string, sinceMs: number): Promise<number> {
    const { spent, names } = conditionsOf(scopeId, 3);
    const rows = await this.#inquire(`select ${spent} as spent`, [
      ...[sinceMs, dayOf(sinceMs)],
      ...names,
    ]);
    return Number(rows[0]?.spent);
  }

  /** The sum apart from the ids: an index holds all of it, and nothing else of all those rows. */
  async spending({ scopeId, sinceMs, endedSinceMs }: SpendingQuestion): Promise<Spending> {
    const { spent, rows: ofRows, names } = conditionsOf(scopeId, 5);
    const rows = await this.#inquire(
      `select ${spent} as spent, array(select id from requests ${ofRows} ` +
        'and created_at_ms >= $3 and created_at_ms + duration_us / 1000 >= $4) as recent',
      [sinceMs, dayOf(sinceMs), endedSinceMs - LONGEST_EXCHANGE_MS, endedSinceMs, ...names],
    );
    return { spentNanousd: Number(rows[0]?.spent), recentIds: rows[0]?.recent as string[] };
  }

  judge(error: unknown): Judgement {
    switch (troubleOf(error)) {
      case 'slow':
      case 'conflict':
        return 'smaller';
      case 'data':
      case 'constraint': // a check: rows that are there already are passed over
        return 'never';
      case 'ours':
        return 'unknown';
      default:
        return 'later';
    }
  }

  /** Makes the ledger's next months, where they are missing. */
  async makePartitions(nowMs: number): Promise<void> {
    await this.#ask(MAKE_PARTITIONS, [nowMs, MONTHS_AHEAD]);
  }

  close(): void {
    if (this.#client !== null) abandon(this.#client);
    this.#client = null;
    this.#names.clear();
  }

  async #learnNames(records: readonly JournalRecord[]): Promise<void> {
    const news = new Set<string>();
    for (const record of records) {
      for (const text of namesOf(record)) if (!this.#names.has(text)) news.add(text);
    }
    if (news.size === 0) return;
    if (this.#names.size >= NAMES_KEPT_MAX) {
      this.#names.clear();
      return this.#learnNames(records);
    }
    const unknown = [...news].map(storable).sort();
    await this.#ask(INSERT_NAMES, [unknown]);
    const { rows } = await this.#ask(FIND_NAMES, [unknown]);
    for (const { id, text } of rows) this.#names.set(text, id);
  }

  #nameId(text: string): number {
    const id = this.#names.get(text);
    if (id === undefined) throw new Error('a name is missing from the dictionary');
    return id;
  }

  /** Ends when nobody waits for the answer any more: the journal stands still meanwhile. */
  #inquire(sql: string, parameters: readonly unknown[]): Promise<readonly pg.QueryResultRow[]> {
    return this.#transaction(async (client) => {
      await client.query(`set local statement_timeout = ${this.#questionMs}`);
      return (await client.query(sql, [...parameters])).rows;
    });
  }

  async #transaction<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#connected();
    try {
      await client.query(beginning(null, 'read write'));
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      if (this.#isSpoiledBy(error)) this.close();
      else await client.query('rollback').catch(() => this.close());
      throw error;
    }
  }

  /** Tables without row-level policies only. */
  async #ask(sql: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
    const client = await this.#connected();
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      if (this.#isSpoiledBy(error)) this.close();
      throw error;
    }
  }

  #isSpoiledBy(error: unknown): boolean {
    const judgement = this.judge(error);
    return endsConnection(error) || (judgement !== 'never' && judgement !== 'smaller');
  }

  async #connected(): Promise<pg.Client> {
    this.#client ??= await connect(this.#config);
    return this.#client;
  }
}

/**
 * Of the rows, and of the days of those that were forgotten. The first parameter is the
 * instant, the second its day; names begin at the `from`th.
 */
function conditionsOf(scopeId: string, from: number) {
  const columns = spendingColumns(scopeId);
  const is = columns.map(
    ([column], at) => `${column} = (select id from names where text = $${from + at})`,
  );
  const rows = `where ${[...is, 'created_at_ms >= $1'].join(' and ')}`;
  const days = `where ${[...is, 'day >= $2'].join(' and ')}`;
  return {
    rows,
    spent:
      `(select coalesce(sum(cost_nanousd), 0) from requests ${rows}) ` +
      `+ (select coalesce(sum(cost_nanousd), 0) from usage_days ${days})`,
    names: columns.map(([, name]) => storable(name)),
  };
}
