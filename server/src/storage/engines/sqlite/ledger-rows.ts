/**
 * Writes journal records as ledger rows, many in one transaction together with the journal's
 * new position. A record that is a row already changes nothing, so that live writing and
 * replay after a crash are one and the same.
 */
import type { JournalPosition } from '../../journal/position.ts';
import type { JournalRecord } from '../../journal/record.ts';
import type { Connection } from './connection.ts';

const NAMES_KEPT_MAX = 20_000;

const COLUMNS = [
  'id',
  'created_at_ms',
  'tenant_id',
  'key_id',
  'correlation_id',
  'dialect',
  'operation',
  'model_id',
  'provider_id',
  'provider_model_id',
  'stream',
  'status',
  'outcome',
  'error_id',
  'cache',
  'attempts',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'cost_nanousd',
  'price_id',
  'duration_us',
  'first_token_us',
  'config_generation',
];

const INSERT_ROW =
  `insert into requests (${COLUMNS.join(', ')}) ` +
  `values (${COLUMNS.map(() => '?').join(', ')}) on conflict (id) do nothing`;
const INSERT_NAME = 'insert into names (text) values (?) on conflict (text) do nothing';
const FIND_NAME = 'select id from names where text = ?';
const FIND_POSITION = 'select segment, byte_offset from journal_positions where instance = ?';
const MOVE_POSITION =
  'insert into journal_positions (instance, segment, byte_offset) values (?, ?, ?) ' +
  'on conflict (instance) do update set segment = excluded.segment, ' +
  'byte_offset = excluded.byte_offset';

export class LedgerRows {
  readonly #connection: Connection;
  /** Dictionary entries seen lately; emptied when a transaction fails, for its own are gone. */
  readonly #names = new Map<string, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Writes all records and the position, or nothing; throws what SQLite said. */
  write(
    instance: string,
    records: readonly JournalRecord[],
    position: JournalPosition,
    busyTimeoutMs: number,
  ): void {
    try {
      this.#connection.transaction(busyTimeoutMs, () => {
        for (const record of records) this.#insert(record);
        this.#connection.prepare(MOVE_POSITION).run(instance, position.segment, position.offset);
      });
    } catch (error) {
      this.#names.clear();
      throw error;
    }
  }

  /** null when nothing of this instance was ever applied. */
  position(instance: string): JournalPosition | null {
    const row = this.#connection.prepare(FIND_POSITION).get(instance);
    if (row === undefined) return null;
    return { segment: Number(row.segment), offset: Number(row.byte_offset) };
  }

  /** Forgets the positions of journals that do not exist any more. */
  keepPositions(instances: readonly string[], busyTimeoutMs: number): void {
    this.#connection.transaction(busyTimeoutMs, () => {
      this.#connection
        .prepare(
          'delete from journal_positions where instance not in (select value from json_each(?))',
        )
        .run(JSON.stringify(instances));
    });
  }

  #insert(record: JournalRecord): void {
    this.#connection
      .prepare(INSERT_ROW)
      .run(
        record.id,
        record.createdAtMs,
        this.#nameId(record.tenant),
        this.#nameId(record.keyId),
        record.correlationId,
        record.dialect,
        record.operation,
        this.#nameId(record.model),
        this.#nameIdOrNull(record.provider),
        this.#nameIdOrNull(record.providerModel),
        record.stream,
        record.status,
        record.outcome,
        this.#nameIdOrNull(record.errorCode),
        record.cache,
        record.attempts,
        record.inputTokens,
        record.cachedInputTokens,
        record.cacheWriteTokens,
        record.outputTokens,
        record.reasoningTokens,
        record.usageSource,
        record.costNanousd,
        this.#nameIdOrNull(record.priceId),
        record.durationUs,
        record.firstTokenUs,
        record.configGeneration,
      );
  }

  #nameIdOrNull(text: string | null): number | null {
    return text === null ? null : this.#nameId(text);
  }

  #nameId(text: string): number {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    this.#connection.prepare(INSERT_NAME).run(text);
    const id = Number(this.#connection.prepare(FIND_NAME).get(text)?.id);
    if (this.#names.size >= NAMES_KEPT_MAX) this.#names.clear();
    this.#names.set(text, id);
    return id;
  }
}
