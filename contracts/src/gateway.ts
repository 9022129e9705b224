/**
 * The gateway's own state as the control plane shows it: models, providers, budgets, circuit
 * breakers, configuration and cache.
 */
import { z } from 'zod';
import { listSchema, nanousdSchema, slugSchema, timestampSchema } from './common.ts';
import { budgetPeriodSchema, budgetSchema } from './keys.ts';
import { operationSchema } from './requests.ts';

const count = z.int().nonnegative();

export const modelSchema = z.object({
  /** An alias, or `provider/model`. */
  id: z.string(),
  owned_by: z.string(),
  operations: z.array(operationSchema),
  created_at: timestampSchema,
});
export const modelListSchema = listSchema(modelSchema);

export const providerSchema = z.object({
  name: z.string(),
  kind: z.string(),
  /** null for a provider inside the gateway. */
  base_url: z.string().nullable(),
  /** Models of the configuration that may be answered here. */
  models: z.array(z.string()),
});
export const providerListSchema = listSchema(providerSchema);

export const budgetStateSchema = z.object({
  /** Whose it is: one of these names it, with the tenant. */
  scope: z.enum(['key', 'user', 'tenant', 'model']),
  key_id: z.string().nullable(),
  key_name: z.string().nullable(),
  user_id: z.string().nullable(),
  /** As it is asked for. */
  model: z.string().nullable(),
  tenant: z.string(),
  budget: budgetSchema,
  period: budgetPeriodSchema,
  /** It warns and refuses nothing. */
  soft: z.boolean(),
  limit_nanousd: nanousdSchema,
  /** null while the counter is being rebuilt; calls under the budget then get 503. */
  spent_nanousd: nanousdSchema.nullable(),
  /** Promised to exchanges that are running. */
  reserved_nanousd: nanousdSchema.nullable(),
  /** null for a budget that never renews. */
  renews_at: timestampSchema.nullable(),
});
export const budgetStateListSchema = listSchema(budgetStateSchema);

export const breakerStateSchema = z.enum(['closed', 'open', 'half_open']);

/** Each worker of a program has breakers of its own. */
export const workerBreakerSchema = z.object({
  /** As `x-esclusa-worker` names it. */
  worker: z.string(),
  state: breakerStateSchema,
  failure_count: count,
  /** Until it lets a probe through; null where it is not open. */
  retry_after_ms: z.number().nonnegative().nullable(),
});

export const breakerSchema = z.object({
  /** `provider/model`, or the name of a dependency. */
  name: z.string(),
  /** Where workers differ the worst: open, then half open. */
  state: breakerStateSchema,
  /** True in `open` alone. */
  is_open: z.boolean(),
  /** What opened it; null while it is closed. */
  cause: z.enum(['failures', 'slowness']).nullable(),
  /** Failures of the sampling window, or those that opened it, of the worker that has most. */
  failure_count: count,
  /** Successful probes, in `half_open`, of the worker that has most. */
  success_count: count,
  /** Of all workers, since each of them started; calls that still run are in the first only. */
  total_calls: count,
  total_failures: count,
  total_successes: count,
  /** Failures among the calls that ended. */
  failure_rate: z.number().min(0).max(1),
  /** Of the worker in which it was open longest. */
  open_seconds_total: z.number().nonnegative(),
  /** First, in any worker. */
  opened_at: timestampSchema.nullable(),
  /** Until the first worker lets a probe through; null where it is not open. */
  retry_after_ms: z.number().nonnegative().nullable(),
  /** For how long the provider asked to be left alone; null where it did not. */
  resting_ms: z.number().nonnegative().nullable(),
  /** Those that know it and answered within a second. */
  workers: z.array(workerBreakerSchema),
});
export const breakerListSchema = listSchema(breakerSchema);

export const configChangeSchema = z.object({
  /** `models.fast.targets[0].weight` */
  path: z.string(),
  /** As it may be shown; left out where the setting was not there. */
  before: z.unknown(),
  /** Left out where the setting is gone. */
  after: z.unknown(),
});

export const configReloadSchema = z.object({
  /** `rejected`: the file is wrong, and the generation before stays in force. */
  outcome: z.enum(['applied', 'unchanged', 'rejected']),
  /** The generation in force afterwards. */
  generation: count,
  at: timestampSchema,
  changes: z.array(configChangeSchema),
  /** Settings that keep their value until the program is started again. */
  need_restart: z.array(configChangeSchema),
  /** What is wrong with the file; empty unless it was rejected. */
  problems: z.array(z.string()),
});

export const configStateSchema = z.object({
  generation: count,
  /** The file it was read from; null where there is none. */
  file: z.string().nullable(),
  /** The whole configuration in force, secrets masked. */
  config: z.record(z.string(), z.unknown()),
  last_reload: configReloadSchema.nullable(),
});

export const tenantQuerySchema = z.strictObject({ tenant: slugSchema.optional() });

export const cachePurgeSchema = z.object({
  tenant: z.string(),
  /** null where the store does not count them. */
  purged: count.nullable(),
});

const keyGlob = z.string().regex(/^[\w*?-]{1,128}$/);

/** Without a condition every answer of the tenant is meant; several must all hold. */
export const cachePurgeQuerySchema = tenantQuerySchema.extend({
  /** Who answered: a model as its provider calls it, or `provider/model`. */
  model: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/)
    .optional(),
  /** The key of one answer. Not called `key`: that is where credentials are looked for. */
  entry: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .optional(),
  /** Over keys: `*` is any text, `?` one character. */
  pattern: keyGlob.optional(),
});

export const cacheResetSchema = z.object({
  /** null: all tenants together. */
  tenant: z.string().nullable(),
  reset: z.literal(true),
});

/** `hit_rate` is 0 to 1 over hits and misses; errors, joins and stale answers are apart. */
const rates = { hits: count, misses: count, hit_rate: z.number(), hit_rate_percent: z.number() };

export const cacheStatsSchema = z.object({
  cache: z.object({
    enabled: z.boolean(),
    backend: z.string(),
    /** null: all tenants together. */
    tenant: z.string().nullable(),
    /** Whose figures they are: of every process that shares the Redis, or of this one. */
    scope: z.enum(['process', 'shared']),
    /** Held in the memory of this process. */
    entries: count,
    bytes: count,
    ...rates,
    /** Answers given although stale, because every target was down. */
    stale: count,
    /** Exchanges that shared the answer of an identical one in flight. */
    joins: count,
    bypasses: count,
    /** Hits and misses. */
    total_requests: count,
    errors: count,
    /** Of the last 100 lookups of this process in Redis. */
    avg_latency_ms: z.number().nullable(),
    /** Of Redis; where there is none, closed. */
    circuit_breaker: z.object({ state: breakerStateSchema, failures: count }),
    operations: z.object({
      get: z.object({ ...rates, avg_latency_ms: z.number().nullable() }),
    }),
    tiers: z.object({
      /** Sets, evictions, entries and bytes are those of this process. */
      memory: z.object({
        hits: count,
        misses: count,
        sets: count,
        evictions: count,
        entries: count,
        bytes: count,
      }),
      redis: z
        .object({
          hits: count,
          misses: count,
          sets: count,
          errors: count,
          /** Of what was stored: before and after compression, and the second by the first. */
          plain_bytes: count,
          kept_bytes: count,
          compression_ratio: z.number().nullable(),
          avg_latency_ms: z.number().nullable(),
        })
        .nullable(),
    }),
  }),
  timestamp: timestampSchema,
});

export type Model = z.infer<typeof modelSchema>;
export type Provider = z.infer<typeof providerSchema>;
export type BudgetState = z.infer<typeof budgetStateSchema>;
export type Breaker = z.infer<typeof breakerSchema>;
export type ConfigReload = z.infer<typeof configReloadSchema>;
export type ConfigState = z.infer<typeof configStateSchema>;
export type CacheStats = z.infer<typeof cacheStatsSchema>;
