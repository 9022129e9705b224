/**
 * Health as probes, dashboards and people read it. `healthy` and `degraded` are answered with
 * 200: only a broken critical dependency makes the service unready.
 */
import { z } from 'zod';
import { timestampSchema } from './common.ts';

export const healthStatusSchema = z.enum(['healthy', 'degraded', 'unhealthy']);

export const liveSchema = z.object({ status: z.literal('alive') });

export const startupResultSchema = z.object({
  name: z.string(),
  status: z.enum(['pass', 'fail', 'warning']),
  /** Only for who has a credential; never a secret. */
  message: z.string().optional(),
  /** Whether the service cannot start without it. */
  critical: z.boolean(),
  duration_ms: z.number(),
});

/** What the checks at start found, most important first. */
export const startupSchema = z.object({
  status: z.enum(['starting', 'healthy', 'unhealthy', 'skipped']),
  /** Why there were no checks. */
  reason: z.literal('feature_flag_disabled').optional(),
  total_duration_ms: z.number(),
  total_checks: z.int(),
  passed: z.int(),
  warnings: z.int(),
  critical_failures: z.int(),
  results: z.array(startupResultSchema),
});

export const readySchema = z.object({
  status: z.enum(['ready', 'degraded', 'unready']),
  /** Names of what is missing; details need a credential (`/api/v1/health`). */
  degraded: z.array(z.string()),
  unavailable: z.array(z.string()),
});

export const healthCheckSchema = z.object({
  healthy: z.boolean(),
  enabled: z.boolean(),
  /** Whether the service is unready without it. */
  critical: z.boolean(),
  backend: z.string().optional(),
  latency_ms: z.number().nullable().optional(),
  message: z.string().optional(),
  error: z.string().optional(),
  /** Figures of a cache, for who has a credential. */
  stats: z.record(z.string(), z.number()).optional(),
});

export const healthSchema = z.object({
  status: healthStatusSchema,
  database: z.enum(['connected', 'disconnected']),
  cache: z.string(),
  timestamp: timestampSchema,
  checks: z.record(z.string(), healthCheckSchema),
});

const checkedSchema = z.object({ healthy: z.boolean() });

/** The database in detail. What is free is the capacity less what is checked out. */
export const databaseHealthSchema = z.object({
  status: z.enum(['healthy', 'unhealthy']),
  backend: z.enum(['sqlite', 'postgres']),
  version: z.string().nullable(),
  /** The role that requests run under; null where the database has none. */
  role: z.string().nullable(),
  timestamp: timestampSchema,
  checks: z.object({
    connection: checkedSchema.extend({
      test_query: z.literal('ok').optional(),
      latency_ms: z.number().optional(),
      error: z.string().optional(),
    }),
    pool: checkedSchema.extend({
      stats: z.object({
        pool_size: z.int(),
        max_overflow: z.int(),
        checked_out: z.int(),
        idle: z.int(),
        overflow: z.int(),
        total_available: z.int(),
        waiting: z.int(),
        /** Seconds that a caller waits for a free connection. */
        timeout: z.number(),
      }),
      /** Percent of the capacity, overflow included. */
      utilization: z.number(),
    }),
    tables: checkedSchema.extend({ count: z.int().nullable() }),
    migrations: checkedSchema.extend({ applied: z.int().nullable() }),
    row_security: checkedSchema.extend({ message: z.string().optional() }),
  }),
});

const cacheStateSchema = z.object({
  status: z.enum(['healthy', 'degraded', 'disabled']),
  /** Of a question to the second tier; null where there is none, or no answer. */
  latency_ms: z.number().nullable(),
  /** Of the second tier; where there is none, nothing is ever open. */
  circuit_breaker_state: z.enum(['closed', 'open', 'half_open']),
  /** null: no second tier. */
  connection_pool: z.object({ max_connections: z.int() }).nullable(),
});

/** The state stands in `cache_health` and beside it: dashboards read the one or the other. */
export const cacheHealthSchema = healthCheckSchema.extend({
  ...cacheStateSchema.shape,
  cache_health: cacheStateSchema,
  redis_memory_used_mb: z.number().nullable().optional(),
  timestamp: timestampSchema,
});

export type Health = z.infer<typeof healthSchema>;
export type HealthCheck = z.infer<typeof healthCheckSchema>;
export type DatabaseHealth = z.infer<typeof databaseHealthSchema>;
export type Ready = z.infer<typeof readySchema>;
export type CacheHealth = z.infer<typeof cacheHealthSchema>;
export type StartupResult = z.infer<typeof startupResultSchema>;
export type Startup = z.infer<typeof startupSchema>;
