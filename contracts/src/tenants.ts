/**
 * Tenants as the control plane shows and takes them.
 */
import { z } from 'zod';
import {
  listSchema,
  modelNameSchema,
  nameSchema,
  pageQuery,
  slugSchema,
  timestampSchema,
} from './common.ts';
import { budgetSchema, limitsSchema } from './keys.ts';

const HOSTS_MAX = 50;

const hostsSchema = z
  .array(z.string().min(1).max(260))
  .max(HOSTS_MAX)
  .describe('Names of hosts under which this tenant alone is served.');

const MODELS_MAX = 200;

const allowancesSchema = z
  .record(
    modelNameSchema,
    z.strictObject({ limits: limitsSchema.optional(), budget: budgetSchema.nullish() }),
  )
  .refine((models) => Object.keys(models).length <= MODELS_MAX, `At most ${MODELS_MAX} models.`)
  .describe('Limits and budgets of single models within the tenant, as a whole.');

/** What all its keys and people may use together, over what the configuration says. */
const allowance = {
  limits: limitsSchema.optional(),
  budget: budgetSchema.nullish(),
  models: allowancesSchema.optional(),
};

export const tenantCreateSchema = z.strictObject({
  slug: slugSchema,
  name: nameSchema,
  hosts: hostsSchema.optional(),
  ...allowance,
});

/** What is left out stays as it is; a budget of null is removed; the rest is replaced. */
export const tenantUpdateSchema = z.strictObject({
  name: nameSchema.optional(),
  hosts: hostsSchema.optional(),
  ...allowance,
});

const databaseShape = {
  host: z.string().min(1).max(260),
  port: z.int().min(1).max(65_535).default(5432),
  database: z.string().regex(/^[\w.-]{1,63}$/),
  user: z.string().min(1).max(63),
  password: z.string().min(1).max(500),
  ssl: z.enum(['disable', 'require', 'verify-full']).default('verify-full'),
};

/** What is sent is kept sealed, and never shown. */
export const databaseTestSchema = z.strictObject(databaseShape);

export const databaseReportSchema = z.object({
  healthy: z.boolean(),
  /** Why it cannot be used; null where it can. */
  error: z.string().nullable(),
  latency_ms: z.number().nullable(),
  version: z.string().nullable(),
  /** It has the tables of this version. */
  prepared: z.boolean().nullable(),
});

export const tenantMoveSchema = z.strictObject({
  to: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('shared') }),
    z.strictObject({ kind: z.literal('file') }),
    z.strictObject({ kind: z.literal('postgres'), ...databaseShape }),
  ]),
});

export const tenantEraseQuerySchema = z.strictObject({
  ledger: z
    .enum(['keep', 'erase'])
    .default('keep')
    .describe('Figures without persons stay, or go as well.'),
});

/** Where a tenant's own data lies. */
const placeSchema = z.object({
  kind: z.enum(['shared', 'file', 'postgres']),
  host: z.string().optional(),
  port: z.int().optional(),
  database: z.string().optional(),
  ssl: z.string().optional(),
});

const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(['move', 'erase']),
  status: z.enum(['running', 'done', 'failed']),
  step: z.string(),
  error: z.string().nullable(),
  /** Of a move: the rows that are at the new place. */
  rows: z.int().optional(),
  /** Of an erasure: what was taken away. */
  removed: z.record(z.string(), z.int()).optional(),
  started_at: timestampSchema,
  ended_at: timestampSchema.nullable(),
});

export const tenantSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.enum(['active', 'suspended', 'erased']),
  hosts: z.array(z.string()),
  created_at: timestampSchema,
  suspended_at: timestampSchema.nullable(),
  limits: limitsSchema,
  budget: budgetSchema.nullable(),
  models: z.record(z.string(), z.object({ limits: limitsSchema, budget: budgetSchema.nullable() })),
  database: placeSchema,
  /** What is being done with its data, or was last. */
  job: jobSchema.nullable(),
});

export const tenantListQuerySchema = z.strictObject(pageQuery);
export const tenantListSchema = listSchema(tenantSchema);

export const tenantPathSchema = z.object({ slug: z.string().max(100) });

export type TenantCreate = z.infer<typeof tenantCreateSchema>;
export type TenantUpdate = z.infer<typeof tenantUpdateSchema>;
export type Tenant = z.infer<typeof tenantSchema>;
export type DatabaseTest = z.infer<typeof databaseReportSchema>;
