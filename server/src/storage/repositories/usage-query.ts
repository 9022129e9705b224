/**
 * Sums over the ledger, grouped. The database groups by the dictionary's numbers; only the
 * groups that are answered are turned into texts. A day is a day of UTC.
 */
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { UsageDimension, UsageRow } from '../../gateway/ports/ledger-query.ts';
import { CACHE_STATUSES, codeOf, OUTCOMES } from '../codes.ts';
import type { Schema } from '../schema.ts';
import { loadNames, type Names } from './names.ts';

const DAY_MS = 86_400_000;

const DIMENSIONS: Readonly<Record<UsageDimension, string>> = {
  model: 'model_id',
  provider: 'provider_id',
  key: 'key_id',
  tenant: 'tenant_id',
  day: `created_at_ms / ${DAY_MS}`,
};

/** `query` brings the conditions; each of `by` gives one value per group, in that order. */
export async function queryUsage(
  db: Kysely<Schema>,
  query: SelectQueryBuilder<Schema, 'requests', unknown>,
  by: readonly UsageDimension[],
  limit: number,
): Promise<readonly UsageRow[]> {
  const groups = by.map((dimension, index) => ({
    dimension,
    alias: `group_${index}`,
    // One of the fixed texts above, never anything from outside.
    expression: sql<number | null>`${sql.raw(DIMENSIONS[dimension])}`,
  }));
  let grouped = query.select(sums());
  for (const { expression, alias } of groups) {
    grouped = grouped.select(expression.as(alias)).groupBy(expression);
  }
  grouped = grouped.orderBy(sql`cost`, 'desc').orderBy(sql`requests`, 'desc');
  const rows = (await grouped.limit(limit).execute()) as unknown as SumsRow[];

  const named = groups.filter(({ dimension }) => dimension !== 'day');
  const ids = rows.flatMap((row) => named.map(({ alias }) => row[alias] ?? null));
  const names = await loadNames(db, ids);
  return rows
    .filter(({ requests }) => requests > 0) // without a group, nothing is a row of zeros
    .map((row) => ({
      ...sumsOf(row),
      group: groups.map(({ dimension, alias }) => textOf(dimension, row[alias] ?? null, names)),
    }));
}

type SumsRow = Readonly<Record<string, number | null>> & { readonly requests: number };

function sums() {
  const failed = codeOf(OUTCOMES, 'failed');
  const hits = sql.join([codeOf(CACHE_STATUSES, 'HIT'), codeOf(CACHE_STATUSES, 'STALE')]);
  return [
    sql<number>`count(*)`.as('requests'),
    sql<number>`sum(case when outcome = ${failed} then 1 else 0 end)`.as('failed'),
    sql<number>`sum(case when cache in (${hits}) then 1 else 0 end)`.as('cache_hits'),
    sql<number>`sum(input_tokens)`.as('input'),
    sql<number>`sum(cached_input_tokens)`.as('cached_input'),
    sql<number>`sum(output_tokens)`.as('output'),
    sql<number>`coalesce(sum(cost_nanousd), 0)`.as('cost'),
    sql<number>`sum(case when cost_nanousd is null then 1 else 0 end)`.as('unpriced'),
  ] as const;
}

function sumsOf(row: SumsRow): Omit<UsageRow, 'group'> {
  return {
    requests: row.requests,
    failed: row.failed ?? 0,
    cacheHits: row.cache_hits ?? 0,
    inputTokens: row.input ?? 0,
    cachedInputTokens: row.cached_input ?? 0,
    outputTokens: row.output ?? 0,
    costNanousd: row.cost ?? 0,
    unpriced: row.unpriced ?? 0,
  };
}

function textOf(dimension: UsageDimension, value: number | null, names: Names): string | null {
  if (value === null) return null;
  if (dimension === 'day') return new Date(value * DAY_MS).toISOString().slice(0, 10);
  return names.get(value) ?? null;
}
