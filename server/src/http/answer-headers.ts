/**
 * The headers of answers that models give: who answered, from where, at what cost, within
 * which limits. One flat list of names and values, as `writeHead` takes it fastest.
 */
import type { Exchange, GatewayError } from '../gateway/index.ts';
import { decimalFromNanousd } from '../kernel/money.ts';

export interface ProcessFacts {
  /** Names this process among those that serve together. */
  readonly worker: string;
  /** What is degraded at the moment, comma separated; empty when nothing is. */
  degraded(): string;
}

/** SDKs sleep for a `retry-after` in full; beyond a minute they must not try at all. */
const LONGEST_RETRY_MS = 60_000;
const DEFAULT_RETRY_MS = 1000;
const RETRY_STATUSES = new Set([429, 503, 529]);

/** Headers of every answer of the edge, also of refusals. */
export function commonHeaders(exchange: Exchange, facts: ProcessFacts, nowMs: number): string[] {
  const totalMs = nowMs - exchange.startedMs;
  const overheadMs = Math.max(0, totalMs - exchange.upstreamMs);
  const headers = [
    'x-request-id',
    exchange.id,
    'x-correlation-id',
    exchange.correlationId,
    'x-cache',
    exchange.cache.status,
    'cache-status',
    cacheStatus(exchange),
    'x-esclusa-worker',
    facts.worker,
    'x-esclusa-config',
    String(exchange.configGeneration),
    'x-esclusa-attempts',
    String(exchange.attempts.length),
    'x-esclusa-overhead-ms',
    overheadMs.toFixed(2),
    'server-timing',
    `total;dur=${totalMs.toFixed(1)}, upstream;dur=${exchange.upstreamMs.toFixed(1)}`,
  ];
  if (exchange.provider !== null) {
    headers.push('x-esclusa-provider', exchange.provider);
    headers.push('x-esclusa-model', exchange.providerModel ?? '');
  }
  const { arm, prompt } = exchange.route ?? {};
  if (arm !== undefined) headers.push('x-esclusa-arm', arm);
  if (prompt !== undefined) headers.push('x-esclusa-prompt', prompt.id);
  if (exchange.cache.ageSeconds !== null) headers.push('age', String(exchange.cache.ageSeconds));
  const cost = exchange.entry?.costNanousd ?? null;
  if (cost !== null) headers.push('x-esclusa-cost-usd', decimalFromNanousd(cost));
  if (exchange.replayed) headers.push('idempotent-replayed', 'true');
  if (exchange.countEstimated) headers.push('x-esclusa-estimated', 'input_tokens');
  if (exchange.dropped.length > 0) headers.push('x-esclusa-dropped', exchange.dropped.join(', '));
  const degraded = facts.degraded();
  if (degraded !== '') headers.push('x-esclusa-degraded', degraded);
  if (exchange.budgetsPassed.length > 0) {
    const passed = exchange.budgetsPassed.map(({ id }) => id);
    headers.push('x-esclusa-budget-warning', passed.join(', '));
  }
  pushLimits(headers, exchange);
  return headers;
}

/** Headers that tell a client whether and when to try again. */
export function retryHeaders(error: GatewayError): string[] {
  if (error.retryAfterMs === null && !RETRY_STATUSES.has(error.status)) {
    const steers = error.status >= 500 || error.status === 402;
    return steers ? ['x-should-retry', String(error.retryable)] : [];
  }
  const retryMs = Math.ceil(error.retryAfterMs ?? DEFAULT_RETRY_MS);
  const mayRetry = error.retryable || error.code === 'budget_exceeded';
  return [
    'retry-after',
    String(Math.ceil(retryMs / 1000)),
    'retry-after-ms',
    String(retryMs),
    'x-should-retry',
    String(mayRetry && retryMs <= LONGEST_RETRY_MS),
  ];
}

function cacheStatus(exchange: Exchange): string {
  const { cache, cacheKey } = exchange;
  const { status, tier, detail } = cache;
  const name = `esclusa${tier === null ? '' : `-${tier}`}`;
  const key = cacheKey === null ? '' : `; key="${cacheKey}"`;
  const why = `${key}${detail === null ? '' : `; detail=${detail}`}`;
  const { noCache, onlyIfCached } = exchange.request.cacheControl;
  // A client that wants a new answer did not miss a stored one; one that wants none has none.
  const forwarded = onlyIfCached ? '' : `; fwd=${noCache ? 'request' : 'uri-miss'}`;
  switch (status) {
    case 'HIT':
      return `${name}; hit${why}`;
    case 'STALE':
      return `${name}; hit; fwd=stale${why}`;
    case 'JOIN':
      return `${name}${forwarded}; collapsed${why}`;
    case 'MISS':
      return `${name}${forwarded}${why}`;
    case 'BYPASS':
      return `${name}; fwd=bypass${why}`;
  }
}

function pushLimits(headers: string[], exchange: Exchange): void {
  pushLimit(headers, 'requests', exchange.requestLimit);
  pushLimit(headers, 'tokens', exchange.tokenLimit);
}

function pushLimit(headers: string[], kind: string, figures: Exchange['requestLimit']): void {
  if (figures === null) return;
  const resetSeconds = Math.ceil(figures.resetMs / 1000);
  headers.push(`x-ratelimit-limit-${kind}`, String(figures.limit));
  headers.push(`x-ratelimit-remaining-${kind}`, String(figures.remaining));
  headers.push(`x-ratelimit-reset-${kind}`, `${resetSeconds}s`);
  headers.push('ratelimit-policy', `"${kind}";q=${figures.limit};w=60`);
  headers.push('ratelimit', `"${kind}";r=${figures.remaining};t=${resetSeconds}`);
}
