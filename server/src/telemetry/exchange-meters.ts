/**
 * Moves the meters of one ended exchange. The series of a model, provider, dialect and
 * operation are looked up once and kept together, so that an exchange costs one look-up.
 *
 * Invariant: at most `MAX_BUNDLES` such bundles; what comes later is booked under `other`. A
 * model is named only where a route knows it: what clients make up is `other`.
 */
import type { GatewayError } from '../gateway/model/errors.ts';
import type { Attempt, Exchange } from '../gateway/model/exchange.ts';
import type { LedgerEntry } from '../gateway/model/ledger-entry.ts';
import type { Operation } from '../gateway/model/target.ts';
import { lazy } from '../kernel/lazy.ts';
import type { Counter, Histogram } from '../kernel/meter.ts';
import type { Metrics } from './metrics.ts';

const MAX_BUNDLES = 256;
const OTHER = 'other';
const NONE = 'none';

/** In the words of OpenTelemetry. */
export const GEN_AI_OPERATIONS: Readonly<Record<Operation, string>> = {
  chat: 'chat',
  completion: 'text_completion',
  embedding: 'embeddings',
  count_tokens: 'count_tokens',
};

const LIMIT_REASONS = new Set(['rate_limited', 'concurrency_limited', 'overloaded']);
const BUDGET_REASONS = new Set(['budget_exceeded', 'budget_unavailable', 'price_unknown']);

interface Bundle {
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly overhead: Histogram;
  readonly input: Counter;
  readonly cachedInput: Counter;
  readonly output: Counter;
  readonly reasoning: Counter;
  readonly cost: Counter;
  readonly unpriced: Counter;
  readonly upstream: Histogram;
  readonly upstreamInput: Histogram;
  readonly upstreamOutput: Histogram;
  readonly attemptsOk: Counter;
  readonly calls: () => CallMeters;
  readonly byStatus: Map<number, Counter>;
  status(status: number): Counter;
  upstreamFailed(code: string): Histogram;
}

/** Of the calls to one model of a provider. */
interface CallMeters {
  readonly llm: Counter;
  readonly ofModel: Counter;
  readonly duration: Histogram;
}

export interface ExchangeMeters {
  record(exchange: Exchange, status: number, durationMs: number, error: GatewayError | null): void;
}

export function createExchangeMeters(metrics: Metrics): ExchangeMeters {
  const bundles = new Map<string, Bundle>();
  const cacheResults = {
    HIT: metrics.cacheRequests.child({ result: 'HIT' }),
    MISS: metrics.cacheRequests.child({ result: 'MISS' }),
    STALE: metrics.cacheRequests.child({ result: 'STALE' }),
    JOIN: metrics.cacheRequests.child({ result: 'JOIN' }),
    BYPASS: metrics.cacheRequests.child({ result: 'BYPASS' }),
  };

  function bundleOf(exchange: Exchange): Bundle {
    const { dialect, operation } = exchange.request;
    const model = exchange.route === null ? OTHER : exchange.route.name;
    const provider = exchange.provider ?? NONE;
    const providerModel = exchange.providerModel ?? NONE;
    const key = `${dialect} ${operation} ${provider} ${providerModel} ${model}`;
    const known = bundles.get(key);
    if (known !== undefined) return known;
    const full = bundles.size >= MAX_BUNDLES;
    const target = full
      ? { model: OTHER, provider: OTHER, providerModel: OTHER }
      : { model, provider, providerModel };
    const bundle = createBundle(metrics, dialect, operation, target);
    if (!full) bundles.set(key, bundle);
    return bundle;
  }

  return {
    record(exchange, status, durationMs, error) {
      const bundle = bundleOf(exchange);
      bundle.status(status).add(1);
      bundle.duration.record(durationMs / 1000);
      cacheResults[exchange.cache.status].add(1);
      if (exchange.firstTokenMs !== null && exchange.request.stream) {
        bundle.firstToken.record(exchange.firstTokenMs / 1000);
      }
      if (status < 400) {
        bundle.overhead.record(Math.max(0, durationMs - exchange.upstreamMs) / 1000);
      }
      if (exchange.entry !== null) recordEntry(bundle, exchange.entry);
      if (exchange.attempts.length > 0) recordAttempts(metrics, bundle, exchange, error);
      if (error !== null) recordError(metrics, error);
    },
  };
}

function recordEntry(bundle: Bundle, entry: LedgerEntry): void {
  const { usage, costNanousd } = entry;
  bundle.input.add(usage.inputTokens);
  bundle.cachedInput.add(usage.cachedInputTokens);
  bundle.output.add(usage.outputTokens);
  bundle.reasoning.add(usage.reasoningTokens);
  if (costNanousd === null) bundle.unpriced.add(1);
  else bundle.cost.add(costNanousd);
}

function recordAttempts(
  metrics: Metrics,
  bundle: Bundle,
  exchange: Exchange,
  error: GatewayError | null,
): void {
  const seconds = exchange.upstreamMs / 1000;
  if (error === null) bundle.upstream.record(seconds);
  else bundle.upstreamFailed(error.code).record(seconds);
  if (exchange.entry !== null && error === null) {
    bundle.upstreamInput.record(exchange.entry.usage.inputTokens);
    bundle.upstreamOutput.record(exchange.entry.usage.outputTokens);
  }
  const { attempts } = exchange;
  for (let i = 0; i < attempts.length; i += 1) {
    const attempt = attempts[i] as (typeof attempts)[number];
    const { provider } = attempt.target;
    const failure = attempt.error ?? error;
    recordCall(metrics, bundle, exchange, attempt, failure);
    if (failure !== null) metrics.attempts.child({ provider, result: failure.code }).add(1);
    else if (provider === exchange.provider) bundle.attemptsOk.add(1);
    else metrics.attempts.child({ provider, result: 'ok' }).add(1);
    if (i === 0) continue;
    metrics.retries.child({ provider, kind: attemptKind(attempts[i - 1], attempt) }).add(1);
  }
}

function recordCall(
  metrics: Metrics,
  bundle: Bundle,
  exchange: Exchange,
  { target: { provider, model }, startedMs, endedMs }: Attempt,
  failure: GatewayError | null,
): void {
  const isLast = provider === exchange.provider && model === exchange.providerModel;
  const { operation } = exchange.request;
  const calls = isLast ? bundle.calls() : callMeters(metrics, operation, { provider, model });
  calls.llm.add(1);
  calls.ofModel.add(1);
  if (endedMs !== null) calls.duration.record((endedMs - startedMs) / 1000);
  if (failure !== null) metrics.openaiErrors.child({ model, error_type: failure.code }).add(1);
}

function callMeters(
  metrics: Metrics,
  operation: Operation,
  target: { readonly provider: string; readonly model: string },
): CallMeters {
  return {
    llm: metrics.llmRequests.child({ ...target, operation }),
    ofModel: metrics.openaiRequests.child({ model: target.model, operation }),
    duration: metrics.openaiDuration.child({ model: target.model }),
  };
}

/** What made an attempt behind another: the same again, with another key, or another target. */
export function attemptKind(
  before: Attempt | undefined,
  attempt: Attempt,
): 'retry' | 'key' | 'failover' {
  if (before?.target.id !== attempt.target.id) return 'failover';
  return before.key === attempt.key ? 'retry' : 'key';
}

function recordError(metrics: Metrics, error: GatewayError): void {
  metrics.errors.child({ code: error.code }).add(1);
  if (LIMIT_REASONS.has(error.code)) metrics.limitRefusals.child({ reason: error.code }).add(1);
  if (BUDGET_REASONS.has(error.code)) metrics.budgetRefusals.child({ reason: error.code }).add(1);
}

function createBundle(
  metrics: Metrics,
  dialect: string,
  operation: Operation,
  names: { readonly model: string; readonly provider: string; readonly providerModel: string },
): Bundle {
  const target = { model: names.model, provider: names.provider };
  const genAi = {
    gen_ai_operation_name: GEN_AI_OPERATIONS[operation],
    gen_ai_provider_name: names.provider,
    gen_ai_request_model: names.providerModel,
  };
  const tokens = (direction: string): Counter => metrics.tokens.child({ ...target, direction });
  const usage = (type: string): Histogram =>
    metrics.upstreamTokens.child({ ...genAi, gen_ai_token_type: type });
  const byStatus = new Map<number, Counter>();
  return {
    duration: metrics.requestDuration.child({ operation, ...target }),
    firstToken: metrics.firstToken.child(target),
    overhead: metrics.overhead.child({ operation }),
    input: tokens('input'),
    cachedInput: tokens('cached_input'),
    output: tokens('output'),
    reasoning: tokens('reasoning'),
    cost: metrics.cost.child(target),
    unpriced: metrics.unpriced.child(target),
    upstream: metrics.upstreamDuration.child({ ...genAi, error_type: '' }),
    upstreamInput: usage('input'),
    upstreamOutput: usage('output'),
    attemptsOk: metrics.attempts.child({ provider: names.provider, result: 'ok' }),
    calls: lazy(() =>
      callMeters(metrics, operation, { provider: names.provider, model: names.providerModel }),
    ),
    byStatus,
    status(status) {
      const known = byStatus.get(status);
      if (known !== undefined) return known;
      const label = Number.isInteger(status) && status >= 100 && status < 600;
      const text = label ? String(status) : OTHER;
      const counter = metrics.requests.child({ dialect, operation, ...target, status: text });
      if (label) byStatus.set(status, counter);
      return counter;
    },
    upstreamFailed: (code) => metrics.upstreamDuration.child({ ...genAi, error_type: code }),
  };
}
