/**
 * A journal record as the values of a ledger row, in the order of the columns. Texts that
 * repeat are numbers of the dictionary, which the caller knows.
 */
import type { JournalRecord } from '../journal/record.ts';

/** The columns of `requests` and their types on PostgreSQL; SQLite has one integer. */
export const LEDGER_COLUMNS = [
  ['id', 'text'],
  ['created_at_ms', 'bigint'],
  ['tenant_id', 'bigint'],
  ['key_id', 'bigint'],
  ['correlation_id', 'text'],
  ['dialect', 'smallint'],
  ['operation', 'smallint'],
  ['model_id', 'bigint'],
  ['provider_id', 'bigint'],
  ['provider_model_id', 'bigint'],
  ['stream', 'smallint'],
  ['status', 'smallint'],
  ['outcome', 'smallint'],
  ['error_id', 'bigint'],
  ['cache', 'smallint'],
  ['attempts', 'integer'],
  ['input_tokens', 'bigint'],
  ['cached_input_tokens', 'bigint'],
  ['cache_write_tokens', 'bigint'],
  ['output_tokens', 'bigint'],
  ['reasoning_tokens', 'bigint'],
  ['usage_source', 'smallint'],
  ['cost_nanousd', 'bigint'],
  ['price_id', 'bigint'],
  ['duration_us', 'bigint'],
  ['first_token_us', 'bigint'],
  ['config_generation', 'bigint'],
  ['arm_id', 'bigint'],
  ['prompt_id', 'bigint'],
] as const;

/** A day, which is the most that a deadline can be set to, and an hour. */
export const LONGEST_EXCHANGE_MS = 90_000_000;

export type LedgerValue = string | number | null;

/** The texts of a record that stand in the dictionary. */
export function namesOf(record: JournalRecord): string[] {
  const { tenant, keyId, model, provider, providerModel, errorCode, priceId } = record;
  const { arm, prompt } = record;
  const names = [tenant, keyId, model, provider, providerModel, errorCode, priceId, arm, prompt];
  return names.filter((name) => name !== null);
}

export function valuesOf(
  record: JournalRecord,
  nameId: (text: string) => number,
): readonly LedgerValue[] {
  const optional = (text: string | null): number | null => (text === null ? null : nameId(text));
  return [
    record.id,
    record.createdAtMs,
    nameId(record.tenant),
    nameId(record.keyId),
    record.correlationId,
    record.dialect,
    record.operation,
    nameId(record.model),
    optional(record.provider),
    optional(record.providerModel),
    record.stream,
    record.status,
    record.outcome,
    optional(record.errorCode),
    record.cache,
    record.attempts,
    record.inputTokens,
    record.cachedInputTokens,
    record.cacheWriteTokens,
    record.outputTokens,
    record.reasoningTokens,
    record.usageSource,
    record.costNanousd,
    optional(record.priceId),
    record.durationUs,
    record.firstTokenUs,
    record.configGeneration,
    optional(record.arm),
    optional(record.prompt),
  ];
}

/**
 * The columns of `requests` that a scope of spending is summed by, and the names they must
 * have; throws for a scope of another kind.
 */
export function spendingColumns(scopeId: string): readonly (readonly [string, string])[] {
  const colon = scopeId.indexOf(':');
  const kind = scopeId.slice(0, colon);
  const name = scopeId.slice(colon + 1);
  const slash = name.indexOf('/');
  if (kind === 'key') return [['key_id', name]];
  if (kind === 'tenant') return [['tenant_id', name]];
  if (kind === 'model' && slash > 0) {
    return [
      ['tenant_id', name.slice(0, slash)],
      ['model_id', name.slice(slash + 1)],
    ];
  }
  throw new Error(`no spending is kept for the scope ${scopeId}`);
}
