/**
 * A row of the ledger as the entry it was made from.
 */
import type { ErrorCode } from '../../gateway/model/errors.ts';
import type { LedgerEntry } from '../../gateway/model/ledger-entry.ts';
import { assert } from '../../kernel/assert.ts';
import { CACHE_STATUSES, DIALECTS, OPERATIONS, OUTCOMES, USAGE_SOURCES, wordOf } from '../codes.ts';
import type { RequestsTable } from '../schema.ts';
import type { Names } from './names.ts';

const US_PER_MS = 1000;

/** The dictionary entries a row points to. */
export function nameIdsOf(row: RequestsTable): (number | null)[] {
  const { tenant_id, key_id, model_id, provider_id, provider_model_id, error_id, price_id } = row;
  return [
    tenant_id,
    key_id,
    model_id,
    provider_id,
    provider_model_id,
    error_id,
    price_id,
    row.arm_id,
    row.prompt_id,
  ];
}

export function entryOf(row: RequestsTable, names: Names): LedgerEntry {
  const optional = (id: number | null): string | null => (id === null ? null : required(id));
  const required = (id: number): string => {
    const text = names.get(id);
    assert(text !== undefined, `ledger row ${row.id} points to an unknown name`);
    return text;
  };
  return {
    id: row.id,
    createdAtMs: row.created_at_ms,
    tenant: required(row.tenant_id),
    keyId: required(row.key_id),
    correlationId: row.correlation_id ?? row.id,
    dialect: wordOf(DIALECTS, row.dialect),
    operation: wordOf(OPERATIONS, row.operation),
    model: required(row.model_id),
    provider: optional(row.provider_id),
    providerModel: optional(row.provider_model_id),
    stream: row.stream === 1,
    status: row.status,
    outcome: wordOf(OUTCOMES, row.outcome),
    errorCode: optional(row.error_id) as ErrorCode | null,
    cache: wordOf(CACHE_STATUSES, row.cache),
    attempts: row.attempts,
    usage: {
      inputTokens: row.input_tokens,
      cachedInputTokens: row.cached_input_tokens,
      ...(row.cache_write_tokens > 0 && { cacheWriteTokens: row.cache_write_tokens }),
      outputTokens: row.output_tokens,
      reasoningTokens: row.reasoning_tokens,
      source: wordOf(USAGE_SOURCES, row.usage_source),
    },
    costNanousd: row.cost_nanousd,
    priceId: optional(row.price_id),
    durationMs: row.duration_us / US_PER_MS,
    firstTokenMs: row.first_token_us === null ? null : row.first_token_us / US_PER_MS,
    configGeneration: row.config_generation,
    ...(row.arm_id !== null && { arm: required(row.arm_id) }),
    ...(row.prompt_id !== null && { prompt: required(row.prompt_id) }),
  };
}
