/**
 * What the root of the address answers to programs: where to go on from there.
 */
import { z } from 'zod';

export const homeSchema = z.object({
  name: z.string(),
  /** The reference for people. */
  docs: z.string(),
  /** The same for machines. */
  openapi: z.string(),
  /** Whether requests can be served. */
  ready: z.string(),
});

export type Home = z.infer<typeof homeSchema>;
