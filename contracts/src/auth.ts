/**
 * Signing in as people do: registration, sessions, and one's own profile.
 *
 * A password is only bounded here; which are taken is a rule of its own, answered with 422.
 */
import { z } from 'zod';
import { listSchema, timestampSchema } from './common.ts';
import { budgetSchema, limitsSchema, roleSchema } from './keys.ts';

const email = z.string().min(3).max(256);
const username = z.string().min(1).max(100);
const password = z.string().min(1).max(1024);

export const registerSchema = z.strictObject({
  email,
  username,
  password,
  /** Needed in production. */
  invitation: z.string().min(1).max(200).optional(),
});

/** Equal whether the address was free or taken. */
export const registeredSchema = z.object({
  email: z.string(),
  username: z.string(),
  status: z.literal('registered'),
});

export const loginSchema = z
  .strictObject({ email: email.optional(), username: username.optional(), password })
  .refine((body) => (body.email === undefined) !== (body.username === undefined), {
    error: 'Expected either `email` or `username`.',
  });

export const sessionSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  /** Seconds the access token is good for. */
  expires_in: z.int(),
  /** Seconds the refresh token is good for. */
  refresh_expires_in: z.int(),
});

/** A sign-in that may still be refreshed. */
export const openSessionSchema = z.object({
  id: z.string(),
  created_at: timestampSchema,
  refreshed_at: timestampSchema,
  expires_at: timestampSchema,
  /** It is that of the token which asks. */
  is_current: z.boolean(),
});

export const openSessionListSchema = listSchema(openSessionSchema);

export const refreshSchema = z.strictObject({ refresh_token: z.string().min(1).max(200) });

export const changePasswordSchema = z.strictObject({
  current_password: password,
  new_password: password,
});

export const profileSchema = z.object({
  kind: z.enum(['user', 'api_key']),
  id: z.string(),
  /** The name of a person, or of a key. */
  name: z.string(),
  /** Only of people. */
  email: z.string().nullable(),
  tenant: z.string(),
  roles: z.array(roleSchema),
  /** Every permission that the roles and scopes add up to. */
  permissions: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  limits: limitsSchema,
  budget: budgetSchema.nullable(),
});

/** A JWK set; empty where tokens are signed by a shared secret. */
export const jwksSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

export type Profile = z.infer<typeof profileSchema>;
export type OpenSession = z.infer<typeof openSessionSchema>;
export type SessionBody = z.infer<typeof sessionSchema>;
