/**
 * Sums over the ledger, grouped: over its rows, and over the days that are left of forgotten
 * ones. The database groups by the dictionary's numbers; only the groups that are answered are
 * turned into texts. A day is a day of UTC; a forgotten one counts where its beginning does.
 */
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { UsageDimension, UsageRow } from '../../gateway/ports/ledger-query.ts';
import { CACHE_STATUSES, codeOf, OUTCOMES } from '../codes.ts';
import type { Schema } from '../schema.ts';
import { DAY_MS } from '../usage-days.ts';
import { loadNames, type Names } from './names.ts';

const DIMENSIONS: Readonly<Record<UsageDimension, { rows: string; days: string }>> = {
  model: { rows: 'model_id', days: 'model_id' },
  provider: { rows: 'provider_id', days: 'nullif(provider_id, 0)' },
  key: { rows: 'key_id', days: 'key_id' },
  tenant: { rows: 'tenant_id', days: 'tenant_id' },
  day: { rows: `created_at_ms / ${DAY_MS}`, days: 'day' },
};

/** Each with the conditions that were asked for. */
export interface UsageSources {
  readonly rows: SelectQueryBuilder<Schema, 'requests', unknown>;
  readonly days: SelectQueryBuilder<Schema, 'usage_days', unknown>;
}

/** Each of `by` gives one value per group, in that order. */
export async function queryUsage(
  db: Kysely<Schema>,
  sources: UsageSources,
  by: readonly UsageDimension[],
  limit: number,
): Promise<readonly UsageRow[]> {
  const groups = by.map((dimension, index) => ({ dimension, alias: `group_${index}` }));
  // One of the fixed texts above, never anything from outside.
  const expression = (dimension: UsageDimension, source: 'rows' | 'days') =>
    sql<number | null>`${sql.raw(DIMENSIONS[dimension][source])}`;
  let rows = sources.rows.select(SUMS_OF_ROWS);
  let days = sources.days.select(SUMS_OF_DAYS);
  for (const { dimension, alias } of groups) {
    const [ofRow, ofDay] = [expression(dimension, 'rows'), expression(dimension, 'days')];
    rows = rows.select(ofRow.as(alias)).groupBy(ofRow);
    days = days.select(ofDay.as(alias)).groupBy(ofDay);
  }
  const aliases = groups.map(({ alias }) => sql.ref(alias));
  const grouping = aliases.length === 0 ? sql`` : sql`group by ${sql.join(aliases)}`;
  const { rows: found } = await sql<SumsRow>`
    select ${sql.join([...SUMS_OF_PARTS, ...aliases])} from ${rows.unionAll(days)} as parts
    ${grouping} order by cost desc, requests desc limit ${limit}`.execute(db);

  const named = groups.filter(({ dimension }) => dimension !== 'day');
  const ids = found.flatMap((row) => named.map(({ alias }) => row[alias] ?? null));
  const names = await loadNames(db, ids);
  return found
    .filter(({ requests }) => requests > 0) // without a group, nothing is a row of zeros
    .map((row) => ({
      ...sumsOf(row),
      group: groups.map(({ dimension, alias }) => textOf(dimension, row[alias] ?? null, names)),
    }));
}

type SumsRow = Readonly<Record<string, number | null>> & { readonly requests: number };

const FAILED = codeOf(OUTCOMES, 'failed');
const HITS = sql.join([codeOf(CACHE_STATUSES, 'HIT'), codeOf(CACHE_STATUSES, 'STALE')]);

const SUMS_OF_ROWS = [
  sql<number>`count(*)`.as('requests'),
  sql<number>`sum(case when outcome = ${FAILED} then 1 else 0 end)`.as('failed'),
  sql<number>`sum(case when cache in (${HITS}) then 1 else 0 end)`.as('cache_hits'),
  sql<number>`sum(input_tokens)`.as('input'),
  sql<number>`sum(cached_input_tokens)`.as('cached_input'),
  sql<number>`sum(output_tokens)`.as('output'),
  sql<number>`coalesce(sum(cost_nanousd), 0)`.as('cost'),
  sql<number>`sum(case when cost_nanousd is null then 1 else 0 end)`.as('unpriced'),
] as const;

const SUMS_OF_DAYS = [
  sql<number>`coalesce(sum(requests), 0)`.as('requests'),
  sql<number>`sum(case when outcome = ${FAILED} then requests else 0 end)`.as('failed'),
  sql<number>`sum(cache_hits)`.as('cache_hits'),
  sql<number>`sum(input_tokens)`.as('input'),
  sql<number>`sum(cached_input_tokens)`.as('cached_input'),
  sql<number>`sum(output_tokens)`.as('output'),
  sql<number>`coalesce(sum(cost_nanousd), 0)`.as('cost'),
  sql<number>`sum(unpriced)`.as('unpriced'),
] as const;

const COLUMNS = ['requests', 'failed', 'cache_hits', 'input', 'cached_input', 'output'] as const;
const SUMS_OF_PARTS = [...COLUMNS, 'cost', 'unpriced'].map(
  (column) => sql`sum(${sql.ref(`parts.${column}`)}) as ${sql.ref(column)}`,
);

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
