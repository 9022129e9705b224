/**
 * Adding ledger rows to the sums of their days, in SQL that both engines understand. Adding is
 * all there is: rows that come late are added to what is there.
 */
import { CACHE_STATUSES, codeOf } from './codes.ts';

export const DAY_MS = 86_400_000;

/** The day (UTC, since the epoch) of an instant at which a budget's period begins. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

const HITS = [codeOf(CACHE_STATUSES, 'HIT'), codeOf(CACHE_STATUSES, 'STALE')].join(', ');

/** Whatever `source` names must have the columns of `requests`; a condition may follow it. */
export function addToDays(source: string): string {
  return `
    insert into usage_days (
      day, tenant_id, key_id, model_id, provider_id, outcome, requests, cache_hits,
      input_tokens, cached_input_tokens, output_tokens, cost_nanousd, unpriced
    )
    select created_at_ms / ${DAY_MS}, tenant_id, key_id, model_id, coalesce(provider_id, 0),
      outcome, count(*), sum(case when cache in (${HITS}) then 1 else 0 end),
      sum(input_tokens), sum(cached_input_tokens), sum(output_tokens),
      coalesce(sum(cost_nanousd), 0), sum(case when cost_nanousd is null then 1 else 0 end)
    from ${source}
    group by 1, 2, 3, 4, 5, 6
    on conflict (tenant_id, day, key_id, model_id, provider_id, outcome) do update set
      requests = usage_days.requests + excluded.requests,
      cache_hits = usage_days.cache_hits + excluded.cache_hits,
      input_tokens = usage_days.input_tokens + excluded.input_tokens,
      cached_input_tokens = usage_days.cached_input_tokens + excluded.cached_input_tokens,
      output_tokens = usage_days.output_tokens + excluded.output_tokens,
      cost_nanousd = usage_days.cost_nanousd + excluded.cost_nanousd,
      unpriced = usage_days.unpriced + excluded.unpriced`;
}
