/**
 * Tenants as the control plane shows and takes them.
 */
import { z } from 'zod';
import { listSchema, nameSchema, pageQuery, slugSchema, timestampSchema } from './common.ts';

export const tenantCreateSchema = z.strictObject({ slug: slugSchema, name: nameSchema });

export const tenantSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  created_at: timestampSchema,
});

export const tenantListQuerySchema = z.strictObject(pageQuery);
export const tenantListSchema = listSchema(tenantSchema);

export type TenantCreate = z.infer<typeof tenantCreateSchema>;
export type Tenant = z.infer<typeof tenantSchema>;
