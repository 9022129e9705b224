/**
 * A body of the command line, checked with the schema of the control plane.
 */
import type { z } from 'zod';
import { GatewayError } from '../gateway/index.ts';

/** Throws `invalid_request` with the member at fault. */
export function checked<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'Not accepted.';
  throw new GatewayError('invalid_request', { message: `\`${field}\`: ${message}`, field });
}
