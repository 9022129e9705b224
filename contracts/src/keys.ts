/**
 * API keys as the control plane shows and takes them. The secret appears in one shape only:
 * the answer to the creation, once.
 */
import { z } from 'zod';
import {
  allowedModelsSchema,
  idSchema,
  listSchema,
  nameSchema,
  pageQuery,
  slugSchema,
  timestampSchema,
} from './common.ts';

export const roleSchema = z.enum(['student', 'instructor', 'admin', 'superadmin', 'service']);
/** Roles a key can be given. */
export const keyRoleSchema = z.enum(['service', 'admin']);
export const keyStatusSchema = z.enum(['active', 'expired', 'revoked']);
export const budgetPeriodSchema = z.enum(['day', 'month', 'total']);

const LIMIT_MAX = 1_000_000_000;
const limit = z.int().positive().max(LIMIT_MAX);

/** A limit left out is no limit. */
export const limitsSchema = z.strictObject({
  requests_per_minute: limit.optional(),
  tokens_per_minute: limit.optional(),
  concurrency: limit.optional(),
});

const decimalUsd = /^\d{1,6}(?:\.\d{1,9})?$/;

export const budgetSchema = z.strictObject({
  limit_usd: z
    .string({ error: 'Expected dollars as a decimal text such as "1.50".' })
    .regex(decimalUsd, { error: 'Expected dollars as a decimal text such as "1.50".' })
    .refine((text) => /[1-9]/.test(text), 'Must be greater than zero.'),
  period: budgetPeriodSchema,
  soft: z.boolean().optional().describe('A used-up budget warns and refuses nothing.'),
});

const scopes = z.array(z.string().min(1).max(60)).max(60);
const addresses = z.array(z.string().min(2).max(50)).min(1).max(100);
const models = allowedModelsSchema;
const expiresAt = z.iso.datetime({ offset: true });

/**
 * `default`: as the model's policy has it; `requested`: only where a request asks; `always`: as
 * if every request asked.
 */
export const cacheUseSchema = z.enum(['off', 'default', 'requested', 'always']);

export const keyCreateSchema = z.strictObject({
  name: nameSchema,
  /** The caller's own tenant where left out. */
  tenant: slugSchema.optional(),
  role: keyRoleSchema.default('service'),
  /** Aliases and `provider/model` names; null for every model the creator may use. */
  models: models.nullish(),
  limits: limitsSchema.optional(),
  budget: budgetSchema.nullish(),
  expires_at: expiresAt.nullish(),
  /** Permissions it confines itself to, such as `models.call`; null for all its role has. */
  scopes: scopes.nullish(),
  /** Networks it may be used from, such as `192.0.2.0/24`; null for any. */
  addresses: addresses.nullish(),
  /** What it wants of the response cache; never more than the model's policy allows. */
  cache: cacheUseSchema.default('default'),
});

/** What is left out stays; null removes; `limits` is replaced as a whole. */
export const keyUpdateSchema = z
  .strictObject({
    name: nameSchema.optional(),
    models: models.nullish(),
    limits: limitsSchema.optional(),
    budget: budgetSchema.nullish(),
    expires_at: expiresAt.nullish(),
    scopes: scopes.nullish(),
    addresses: addresses.nullish(),
    cache: cacheUseSchema.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Nothing to change was given.');

export const keySchema = z.object({
  id: idSchema,
  tenant: z.string(),
  name: z.string(),
  /** The first characters of the secret, to recognise it by. */
  hint: z.string(),
  role: roleSchema,
  status: keyStatusSchema,
  scopes: z.array(z.string()).nullable(),
  addresses: z.array(z.string()).nullable(),
  models: z.array(z.string()).nullable(),
  cache: cacheUseSchema,
  limits: limitsSchema,
  budget: budgetSchema.nullable(),
  created_at: timestampSchema,
  expires_at: timestampSchema.nullable(),
  revoked_at: timestampSchema.nullable(),
});

export const keyCreatedSchema = keySchema.extend({
  /** The secret. It is shown this once and cannot be read again. */
  key: z.string(),
});

/** How long the old secret stays good beside the new one. */
const OVERLAP_SECONDS_MAX = 2_592_000;

export const keyRotateSchema = z.strictObject({
  overlap_seconds: z.int().min(0).max(OVERLAP_SECONDS_MAX).default(3600),
});

export const keyListQuerySchema = z.strictObject({ ...pageQuery, tenant: slugSchema.optional() });
export const keyListSchema = listSchema(keySchema);

export type KeyCreate = z.infer<typeof keyCreateSchema>;
export type KeyRotate = z.infer<typeof keyRotateSchema>;
export type KeyUpdate = z.infer<typeof keyUpdateSchema>;
export type Key = z.infer<typeof keySchema>;
export type KeyCreated = z.infer<typeof keyCreatedSchema>;
export type LimitsBody = z.infer<typeof limitsSchema>;
export type BudgetBody = z.infer<typeof budgetSchema>;
