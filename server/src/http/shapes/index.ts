/**
 * Between the program's records and the shapes of the control plane: names, units and nothing
 * else. The secret's hash of a key never gets past here.
 */
import type {
  BudgetBody,
  Key,
  LimitsBody,
  RequestDetail,
  RequestRow,
  TenantUpdate,
  UsageReportRow,
} from '@esclusa/contracts';
import type {
  Budget,
  KeptBodies,
  KeptBody,
  LedgerEntry,
  Limits,
  UsageDimension,
  UsageRow,
} from '../../gateway/index.ts';
import type { KeyRecord } from '../../identity/index.ts';
import { assert } from '../../kernel/assert.ts';
import { decimalFromNanousd, nanousdFromDecimal } from '../../kernel/money.ts';

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

export function keyToWire(record: KeyRecord, nowMs: number): Key {
  return {
    id: record.id,
    tenant: record.tenant,
    name: record.name,
    hint: record.hint,
    role: record.role,
    status: statusOf(record, nowMs),
    scopes: record.scopes === null ? null : [...record.scopes],
    addresses: record.addresses === null ? null : [...record.addresses],
    models: record.models === null ? null : [...record.models],
    cache: record.cacheUse,
    limits: limitsToWire(record.limits),
    budget: record.budget === null ? null : budgetToWire(record.budget),
    created_at: timestamp(record.createdAtMs),
    expires_at: record.expiresAtMs === null ? null : timestamp(record.expiresAtMs),
    revoked_at: record.revokedAtMs === null ? null : timestamp(record.revokedAtMs),
  };
}

/** What the members of a body about limits and budgets mean; undefined stays undefined. */
export function allowanceFromWire({ limits, budget, models }: AllowanceBody) {
  return {
    limits: limits === undefined ? undefined : limitsFromWire(limits),
    budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
    models:
      models === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(models).map(([model, own]) => [
              model,
              {
                limits: limitsFromWire(own.limits ?? {}),
                budget: own.budget ? budgetFromWire(own.budget) : null,
              },
            ]),
          ),
  };
}

type AllowanceBody = Pick<TenantUpdate, 'limits' | 'budget' | 'models'>;

export function limitsFromWire(limits: LimitsBody): Limits {
  const { requests_per_minute, tokens_per_minute, concurrency } = limits;
  return {
    ...(requests_per_minute !== undefined && { requestsPerMinute: requests_per_minute }),
    ...(tokens_per_minute !== undefined && { tokensPerMinute: tokens_per_minute }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

export function budgetFromWire(budget: BudgetBody): Budget {
  const limitNanousd = nanousdFromDecimal(budget.limit_usd);
  assert(limitNanousd !== null, 'the schema lets only decimals through');
  const { period, soft = false } = budget;
  return soft ? { limitNanousd, period, soft } : { limitNanousd, period };
}

export function budgetToWire(budget: Budget): BudgetBody {
  const { limitNanousd, period, soft = false } = budget;
  const body = { limit_usd: decimalFromNanousd(limitNanousd), period };
  return soft ? { ...body, soft } : body;
}

export function requestToWire(entry: LedgerEntry): RequestRow {
  return {
    id: entry.id,
    created_at: timestamp(entry.createdAtMs),
    tenant: entry.tenant,
    key_id: entry.keyId,
    correlation_id: entry.correlationId,
    dialect: entry.dialect,
    operation: entry.operation,
    model: entry.model,
    provider: entry.provider,
    provider_model: entry.providerModel,
    stream: entry.stream,
    status: entry.status,
    outcome: entry.outcome,
    error_code: entry.errorCode,
    cache: entry.cache,
    attempts: entry.attempts,
    usage: {
      input_tokens: entry.usage.inputTokens,
      cached_input_tokens: entry.usage.cachedInputTokens,
      cache_write_tokens: entry.usage.cacheWriteTokens ?? 0,
      output_tokens: entry.usage.outputTokens,
      reasoning_tokens: entry.usage.reasoningTokens,
      source: entry.usage.source,
    },
    cost_nanousd: entry.costNanousd,
    price_id: entry.priceId,
    duration_ms: entry.durationMs,
    first_token_ms: entry.firstTokenMs,
    config_generation: entry.configGeneration,
    arm: entry.arm ?? null,
    prompt: entry.prompt ?? null,
  };
}

/** `null`: nothing was kept. */
export function bodiesToWire(
  bodies: KeptBodies | null,
): Required<Omit<RequestDetail, keyof RequestRow>> {
  return {
    request_body: textOf(bodies?.request ?? null),
    request_body_truncated: bodies?.request?.truncated ?? false,
    response_body: textOf(bodies?.response ?? null),
    response_body_truncated: bodies?.response?.truncated ?? false,
  };
}

export function usageToWire(row: UsageRow, by: readonly UsageDimension[]): UsageReportRow {
  return {
    group: Object.fromEntries(by.map((dimension, at) => [dimension, row.group[at] ?? null])),
    requests: row.requests,
    failed: row.failed,
    cache_hits: row.cacheHits,
    input_tokens: row.inputTokens,
    cached_input_tokens: row.cachedInputTokens,
    output_tokens: row.outputTokens,
    cost_nanousd: row.costNanousd,
    cost_usd: decimalFromNanousd(row.costNanousd),
    unpriced: row.unpriced,
  };
}

/** A character that the cut went through is left out; other bytes that are no text show. */
function textOf(body: KeptBody | null): string | null {
  if (body === null) return null;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(body.bytes, { stream: body.truncated });
}

export function limitsToWire(limits: Limits): LimitsBody {
  return {
    ...(limits.requestsPerMinute !== undefined && {
      requests_per_minute: limits.requestsPerMinute,
    }),
    ...(limits.tokensPerMinute !== undefined && { tokens_per_minute: limits.tokensPerMinute }),
    ...(limits.concurrency !== undefined && { concurrency: limits.concurrency }),
  };
}

function statusOf(record: KeyRecord, nowMs: number): Key['status'] {
  if (record.revokedAtMs !== null) return 'revoked';
  return record.expiresAtMs !== null && record.expiresAtMs <= nowMs ? 'expired' : 'active';
}
