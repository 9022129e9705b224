/**
 * Every price an exchange was ever charged under. Rows are added and never changed: another
 * price has another identifier.
 */
import type { PicousdPerToken } from '../../kernel/money.ts';
import type { Engine } from '../engine.ts';
import type { PricesTable } from '../schema.ts';

export interface PriceRecord {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly inputPicousd: PicousdPerToken;
  readonly cachedInputPicousd: PicousdPerToken;
  readonly cacheWritePicousd?: PicousdPerToken;
  readonly outputPicousd: PicousdPerToken;
  readonly effectiveFromMs: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface PriceRepository {
  /** Adds the rows whose id is new; the others stay as they are. */
  savePrices(prices: readonly PriceRecord[]): Promise<void>;
  get(id: string): Promise<PriceRecord | null>;
}

/** Keeps a statement below every engine's number of parameters. */
const ROWS_PER_STATEMENT = 100;

export function createPriceRepository(engine: Engine): PriceRepository {
  return {
    async savePrices(prices) {
      const known = await engine.read<{ id: string }>(null, 'select id from prices', []);
      const knownIds = new Set(known.map(({ id }) => id));
      const rows = prices.filter(({ id }) => !knownIds.has(id)).map(rowOf);
      if (rows.length === 0) return; // the usual start: nothing to load, nothing to lock
      await engine.transact(null, async (transaction) => {
        for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) {
          await transaction
            .insertInto('prices')
            .values(rows.slice(at, at + ROWS_PER_STATEMENT))
            .onConflict((conflict) => conflict.column('id').doNothing())
            .execute();
        }
      });
    },

    async get(id) {
      const db = await engine.reader(null);
      const row = await db.selectFrom('prices').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
  };
}

function rowOf(price: PriceRecord): PricesTable {
  return {
    id: price.id,
    provider: price.provider,
    model: price.model,
    input_picousd: price.inputPicousd,
    cached_input_picousd: price.cachedInputPicousd,
    cache_write_picousd: price.cacheWritePicousd ?? null,
    output_picousd: price.outputPicousd,
    effective_from_ms: price.effectiveFromMs,
  };
}

function recordOf(row: PricesTable): PriceRecord {
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    inputPicousd: row.input_picousd,
    cachedInputPicousd: row.cached_input_picousd,
    ...(row.cache_write_picousd !== null && { cacheWritePicousd: row.cache_write_picousd }),
    outputPicousd: row.output_picousd,
    effectiveFromMs: row.effective_from_ms,
  };
}
