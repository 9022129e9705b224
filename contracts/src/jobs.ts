/**
 * Background jobs as operators see them.
 */
import { z } from 'zod';
import { listSchema, pageQuery, timestampSchema } from './common.ts';

export const jobStateSchema = z
  .enum(['waiting', 'running', 'dead'])
  .describe('`dead`: given up after its last attempt, and kept to be looked at.');

export const jobSchema = z.object({
  id: z.string(),
  kind: z.string(),
  /** Of the jobs that are not over, one has it. */
  key: z.string().nullable(),
  state: jobStateSchema,
  attempts: z.int(),
  attempts_max: z.int(),
  run_at: timestampSchema,
  created_at: timestampSchema,
  /** The process that runs it. */
  owner: z.string().nullable(),
  lease_until: timestampSchema.nullable(),
  /** What the last attempt that failed said. */
  last_error: z.string().nullable(),
  /** When the last attempt ended. */
  ended_at: timestampSchema.nullable(),
});

export const jobListQuerySchema = z.strictObject({
  ...pageQuery,
  state: jobStateSchema.optional(),
});
export const jobListSchema = listSchema(jobSchema);

export type JobBody = z.infer<typeof jobSchema>;
