/**
 * Users as administrators see and handle them. A password goes in and never comes out.
 */
import { z } from 'zod';
import {
  allowedModelsSchema,
  idSchema,
  listSchema,
  pageQuery,
  slugSchema,
  timestampSchema,
} from './common.ts';
import { budgetSchema, limitsSchema } from './keys.ts';

/** Roles a person can have. */
export const personRoleSchema = z.enum(['student', 'instructor', 'admin', 'superadmin']);

const roles = z.array(personRoleSchema).min(1).max(4);
const email = z.string().min(3).max(256);
const username = z.string().min(1).max(100);
const password = z.string().min(1).max(1024);
const models = allowedModelsSchema;
const HOURS_PER_WEEK = 168;
const HOURS_PER_QUARTER = 2160;

const userCreateShape = z.strictObject({
  email,
  username,
  /** Either this or `password_hash`. */
  password: password.optional(),
  /** A bcrypt hash that came from elsewhere; the first sign-in replaces it. */
  password_hash: z.string().min(1).max(200).optional(),
  roles: roles.default(['student']),
  /** The caller's own tenant where left out. */
  tenant: slugSchema.optional(),
  /** Aliases and `provider/model` names; null for every model the creator may use. */
  models: models.nullish(),
  limits: limitsSchema.optional(),
  budget: budgetSchema.nullish(),
});

export const userCreateSchema = userCreateShape.refine(
  (body) => (body.password === undefined) !== (body.password_hash === undefined),
  { error: 'Expected either `password` or `password_hash`.', path: ['password'] },
);

/** What is left out stays; null removes; `roles` and `limits` are replaced as a whole. */
export const userUpdateSchema = z
  .strictObject({
    email: email.optional(),
    username: username.optional(),
    password: password.optional(),
    roles: roles.optional(),
    is_active: z.boolean().optional(),
    is_verified: z.boolean().optional(),
    models: models.nullish(),
    limits: limitsSchema.optional(),
    budget: budgetSchema.nullish(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Nothing to change was given.');

export const userSchema = z.object({
  id: idSchema,
  tenant: z.string(),
  email: z.string(),
  username: z.string(),
  roles: z.array(personRoleSchema),
  is_active: z.boolean(),
  is_verified: z.boolean(),
  /** Signs in with a password here; otherwise by single sign-on only. */
  has_password: z.boolean(),
  models: z.array(z.string()).nullable(),
  limits: limitsSchema,
  budget: budgetSchema.nullable(),
  created_at: timestampSchema,
  last_login_at: timestampSchema.nullable(),
});

export const userListQuerySchema = z.strictObject({ ...pageQuery, tenant: slugSchema.optional() });
export const userListSchema = listSchema(userSchema);

export const invitationCreateSchema = z.strictObject({
  /** Who may use it; null for whoever has it. */
  email: email.nullish(),
  roles: roles.default(['student']),
  tenant: slugSchema.optional(),
  expires_in_hours: z.int().min(1).max(HOURS_PER_QUARTER).default(HOURS_PER_WEEK),
});

export const invitationCreatedSchema = z.object({
  id: idSchema,
  tenant: z.string(),
  email: z.string().nullable(),
  roles: z.array(personRoleSchema),
  expires_at: timestampSchema,
  /** For `POST /api/v1/auth/register`. It is shown this once and works once. */
  invitation: z.string(),
});

export type User = z.infer<typeof userSchema>;
export type UserUpdate = z.infer<typeof userUpdateSchema>;
export type InvitationCreated = z.infer<typeof invitationCreatedSchema>;
