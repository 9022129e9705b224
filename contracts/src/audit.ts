/**
 * Entries of the audit log. Each carries the hash that chains it to the one before.
 */
import { z } from 'zod';
import { listSchema, pageQuery, slugSchema, timestampSchema } from './common.ts';

export const auditEntrySchema = z.object({
  /** Its place in the chain, from 1. */
  sequence: z.int(),
  at: timestampSchema,
  tenant: z.string(),
  /** A user, a key, or `anonymous`. */
  actor: z.string(),
  /** What was done, such as `keys.create`. */
  action: z.string(),
  /** To whom or what. */
  subject: z.string().nullable(),
  outcome: z.enum(['success', 'failure']),
  /** Where the request came from. */
  address: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  hash: z.string(),
});

export const auditQuerySchema = z.strictObject({ ...pageQuery, tenant: slugSchema.optional() });
export const auditListSchema = listSchema(auditEntrySchema);

export type AuditEntryBody = z.infer<typeof auditEntrySchema>;
