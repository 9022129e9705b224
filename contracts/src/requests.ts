/**
 * Rows of the ledger, and sums over them, as the control plane shows them. Amounts are whole
 * nano-dollars; `cost_nanousd: null` says that the exchange has no price, which is not zero.
 */
import { z } from 'zod';
import {
  idSchema,
  instantSchema,
  limitSchema,
  listSchema,
  modelNameSchema,
  nanousdSchema,
  pageQuery,
  slugSchema,
  timestampSchema,
} from './common.ts';

export const dialectSchema = z.enum(['openai', 'anthropic', 'gemini', 'responses']);
export const operationSchema = z.enum(['chat', 'completion', 'embedding', 'count_tokens']);
export const outcomeSchema = z.enum(['completed', 'failed', 'aborted', 'rejected']);
export const cacheStatusSchema = z.enum(['HIT', 'MISS', 'STALE', 'JOIN', 'BYPASS']);
export const usageDimensionSchema = z.enum(['model', 'provider', 'key', 'tenant', 'day']);

const count = z.int().nonnegative();

export const tokensSchema = z.object({
  input_tokens: count,
  /** Part of `input_tokens`. */
  cached_input_tokens: count,
  /** Part of the input that was written to the provider's prompt cache. */
  cache_write_tokens: count,
  output_tokens: count,
  /** Part of `output_tokens`. */
  reasoning_tokens: count,
  /** `estimated` where the provider did not say. */
  source: z.enum(['provider', 'estimated']),
});

/** Text; what was no UTF-8 in it is shown as U+FFFD. */
const bodySchema = z.string().nullable().optional();

export const requestRowSchema = z.object({
  /** The `x-request-id` of the answer. */
  id: idSchema,
  created_at: timestampSchema,
  tenant: z.string(),
  key_id: z.string(),
  correlation_id: z.string(),
  dialect: dialectSchema,
  operation: operationSchema,
  /** As asked for. */
  model: z.string(),
  provider: z.string().nullable(),
  /** The provider's model that answered, or was tried last. */
  provider_model: z.string().nullable(),
  stream: z.boolean(),
  /** The HTTP status of the answer. */
  status: z.int(),
  outcome: outcomeSchema,
  error_code: z.string().nullable(),
  cache: cacheStatusSchema,
  attempts: count,
  usage: tokensSchema,
  cost_nanousd: nanousdSchema.nullable(),
  price_id: z.string().nullable(),
  duration_ms: z.number().nonnegative(),
  first_token_ms: z.number().nonnegative().nullable(),
  config_generation: count,
  /** Of an experiment: `flag/candidate` or `flag/control`; null: there was none. */
  arm: z.string().nullable(),
  /** The operator's prompt that stood before it: `name@version#digest`; null: none did. */
  prompt: z.string().nullable(),
});

/**
 * One row, and what was asked and answered. These members are left out for who may not read
 * them; a body is null where none was kept.
 */
export const requestDetailSchema = requestRowSchema.extend({
  request_body: bodySchema,
  /** The body went on; only its beginning was kept. */
  request_body_truncated: z.boolean().optional(),
  response_body: bodySchema,
  response_body_truncated: z.boolean().optional(),
});

const filters = {
  /** One tenant by its slug; without it a superadmin reads every tenant's rows. */
  tenant: slugSchema.optional(),
  model: modelNameSchema.optional(),
  provider: modelNameSchema.optional(),
  key_id: idSchema.optional(),
  outcome: outcomeSchema.optional(),
  /** Inclusive. */
  since: instantSchema.optional(),
  /** Exclusive. */
  until: instantSchema.optional(),
};

export const requestListQuerySchema = z.strictObject({ ...pageQuery, ...filters });
export const requestListSchema = listSchema(requestRowSchema);

export const usageQuerySchema = z.strictObject({
  ...filters,
  /** Dimensions, comma-separated: `model,day`. */
  by: z
    .string()
    .default('model')
    .transform((text) => text.split(','))
    .pipe(z.array(usageDimensionSchema).min(1).max(5))
    .refine((list) => new Set(list).size === list.length, 'A dimension appears twice.'),
  limit: limitSchema(1000, 200),
});

export const usageRowSchema = z.object({
  /** One member per dimension asked for; null where an exchange has none. */
  group: z.partialRecord(usageDimensionSchema, z.string().nullable()),
  requests: count,
  failed: count,
  cache_hits: count,
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  cost_nanousd: nanousdSchema,
  /** The same amount in dollars, exact. */
  cost_usd: z.string(),
  /** Exchanges without a price; not part of the cost. */
  unpriced: count,
});

export const usageReportSchema = z.object({
  by: z.array(usageDimensionSchema),
  since: timestampSchema.nullable(),
  until: timestampSchema.nullable(),
  data: z.array(usageRowSchema),
});

export type RequestRow = z.infer<typeof requestRowSchema>;
export type RequestDetail = z.infer<typeof requestDetailSchema>;
export type RequestListQuery = z.infer<typeof requestListQuerySchema>;
export type UsageQuery = z.infer<typeof usageQuerySchema>;
export type UsageReport = z.infer<typeof usageReportSchema>;
export type UsageReportRow = z.infer<typeof usageRowSchema>;
