/**
 * Reading the ledger: one exchange, a page of them, sums over them. Each query first lets the
 * journal's entries reach the database, but waits for that no longer than a second: an answer
 * that lacks the newest rows is better than none.
 *
 * Rows come newest first by time and id; an index holds them in that order per tenant, per key
 * and for all.
 */
import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from 'kysely';
import type { LedgerEntry } from '../../gateway/model/ledger-entry.ts';
import type { LedgerFilter, LedgerQueries } from '../../gateway/ports/ledger-query.ts';
import { codeOf, OUTCOMES } from '../codes.ts';
import type { Engine } from '../engine.ts';
import type { RequestsTable, Schema } from '../schema.ts';
import { DAY_MS } from '../usage-days.ts';
import { entryOf, nameIdsOf } from './ledger-row.ts';
import { loadNames, nameId } from './names.ts';
import { queryUsage, type UsageSources } from './usage-query.ts';

type RequestsQuery<Output> = SelectQueryBuilder<Schema, 'requests', Output>;

/** `settle` resolves when what was acknowledged is in the database, or cannot be in time. */
export function createLedgerQueries(engine: Engine, settle: () => Promise<void>): LedgerQueries {
  return {
    async get(id, tenant) {
      await settle();
      const db = await engine.analyst(tenant);
      let query = db.selectFrom('requests').selectAll().where('id', '=', id);
      if (tenant !== null) query = query.where('tenant_id', '=', nameId(tenant));
      const entries = await entriesOf(db, await query.execute());
      return entries[0] ?? null;
    },

    async list(filter, { limit, beforeId }) {
      await settle();
      const db = await engine.analyst(filter.tenant);
      let query = filtered(db.selectFrom('requests').selectAll(), filter)
        .orderBy('created_at_ms', 'desc')
        .orderBy('id', 'desc')
        .limit(limit);
      if (beforeId !== null) query = query.where((row) => isBehind(row, beforeId));
      return entriesOf(db, await query.execute());
    },

    async usage(filter, by, limit) {
      await settle();
      const db = await engine.analyst(filter.tenant);
      const rows = filtered(db.selectFrom('requests'), filter);
      return queryUsage(db, { rows, days: filteredDays(db, filter) }, by, limit);
    },
  };
}

async function entriesOf(
  db: Kysely<Schema>,
  rows: readonly RequestsTable[],
): Promise<readonly LedgerEntry[]> {
  const names = await loadNames(db, rows.flatMap(nameIdsOf));
  return rows.map((row) => entryOf(row, names));
}

function filtered<Output>(
  query: RequestsQuery<Output>,
  filter: LedgerFilter,
): RequestsQuery<Output> {
  const { tenant, keyId, model, provider, outcome, sinceMs, untilMs } = filter;
  let result = query;
  if (tenant !== null) result = result.where('tenant_id', '=', nameId(tenant));
  if (keyId !== undefined) result = result.where('key_id', '=', nameId(keyId));
  if (model !== undefined) result = result.where('model_id', '=', nameId(model));
  if (provider !== undefined) result = result.where('provider_id', '=', nameId(provider));
  if (outcome !== undefined) result = result.where('outcome', '=', codeOf(OUTCOMES, outcome));
  if (sinceMs !== undefined) result = result.where('created_at_ms', '>=', sinceMs);
  if (untilMs !== undefined) result = result.where('created_at_ms', '<', untilMs);
  return result;
}

/** A day is in the time asked for where its beginning is. */
function filteredDays(db: Kysely<Schema>, filter: LedgerFilter): UsageSources['days'] {
  const { tenant, keyId, model, provider, outcome, sinceMs, untilMs } = filter;
  let result: UsageSources['days'] = db.selectFrom('usage_days');
  if (tenant !== null) result = result.where('tenant_id', '=', nameId(tenant));
  if (keyId !== undefined) result = result.where('key_id', '=', nameId(keyId));
  if (model !== undefined) result = result.where('model_id', '=', nameId(model));
  if (provider !== undefined) result = result.where('provider_id', '=', nameId(provider));
  if (outcome !== undefined) result = result.where('outcome', '=', codeOf(OUTCOMES, outcome));
  if (sinceMs !== undefined) result = result.where('day', '>=', Math.ceil(sinceMs / DAY_MS));
  if (untilMs !== undefined) result = result.where('day', '<', Math.ceil(untilMs / DAY_MS));
  return result;
}

/** Older than the row `beforeId`; where that row is gone, whatever has a smaller id. */
function isBehind(row: ExpressionBuilder<Schema, 'requests'>, beforeId: string) {
  const place = row
    .selectFrom('requests as before')
    .select('before.created_at_ms')
    .where('before.id', '=', beforeId);
  return row.and([
    row('created_at_ms', '<=', row.fn.coalesce(place, row.lit(Number.MAX_SAFE_INTEGER))),
    row.or([row('created_at_ms', '<', place), row('id', '<', beforeId)]),
  ]);
}
