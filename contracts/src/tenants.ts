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

export const tenantSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.enum(['active', 'suspended']),
  hosts: z.array(z.string()),
  created_at: timestampSchema,
  suspended_at: timestampSchema.nullable(),
  limits: limitsSchema,
  budget: budgetSchema.nullable(),
  models: z.record(z.string(), z.object({ limits: limitsSchema, budget: budgetSchema.nullable() })),
});

export const tenantListQuerySchema = z.strictObject(pageQuery);
export const tenantListSchema = listSchema(tenantSchema);

export const tenantPathSchema = z.object({ slug: z.string().max(100) });

export type TenantCreate = z.infer<typeof tenantCreateSchema>;
export type TenantUpdate = z.infer<typeof tenantUpdateSchema>;
export type Tenant = z.infer<typeof tenantSchema>;
