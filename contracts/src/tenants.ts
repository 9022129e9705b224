/**
 * Tenants as the control plane shows and takes them.
 */
import { z } from 'zod';
import { listSchema, nameSchema, pageQuery, slugSchema, timestampSchema } from './common.ts';

const HOSTS_MAX = 50;

const hostsSchema = z
  .array(z.string().min(1).max(260))
  .max(HOSTS_MAX)
  .describe('Names of hosts under which this tenant alone is served.');

export const tenantCreateSchema = z.strictObject({
  slug: slugSchema,
  name: nameSchema,
  hosts: hostsSchema.optional(),
});

/** What is left out stays as it is. */
export const tenantUpdateSchema = z.strictObject({
  name: nameSchema.optional(),
  hosts: hostsSchema.optional(),
});

export const tenantSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.enum(['active', 'suspended']),
  hosts: z.array(z.string()),
  created_at: timestampSchema,
  suspended_at: timestampSchema.nullable(),
});

export const tenantListQuerySchema = z.strictObject(pageQuery);
export const tenantListSchema = listSchema(tenantSchema);

export const tenantPathSchema = z.object({ slug: z.string().max(100) });

export type TenantCreate = z.infer<typeof tenantCreateSchema>;
export type Tenant = z.infer<typeof tenantSchema>;
