/**
 * Who calls: an API key or a user, with tenant, roles, and what it may use.
 * Principals come from a memory snapshot and are never changed in place.
 */
import type { Nanousd } from '../../kernel/money.ts';

export type Role = 'student' | 'instructor' | 'admin' | 'superadmin' | 'service';

export type BudgetPeriod = 'day' | 'month' | 'total';

export interface Budget {
  readonly limitNanousd: Nanousd;
  readonly period: BudgetPeriod;
  /** It warns when it is used up, and refuses nothing. */
  readonly soft?: boolean;
}

/** Absent means unlimited; zero means nothing at all. */
export interface Limits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly concurrency?: number;
}

/**
 * What a credential wants of the response cache: nothing; what the model's policy says; only
 * where its request asks; as if each of its requests asked.
 */
export type CacheUse = 'off' | 'default' | 'requested' | 'always';

/** The scope without which a credential runs no models. */
export const MODELS_SCOPE = 'models.call';

export interface Principal {
  readonly kind: 'api_key' | 'user';
  /**
   * Who is counted and booked: a key, `key_…` (`key_admin` for the one of the environment), or
   * a person, `usr_…`.
   */
  readonly keyId: string;
  readonly name: string;
  readonly tenant: string;
  readonly roles: readonly Role[];
  /** Permissions it confines itself to, of those its roles have; null means all of them. */
  readonly scopes: readonly string[] | null;
  /** Aliases and `provider/model` names it may ask for; null means all of them. */
  readonly models: readonly string[] | null;
  readonly limits: Limits;
  readonly budget: Budget | null;
  readonly cacheUse: CacheUse;
  /** Milliseconds since the epoch; null means never. */
  readonly expiresAtMs: number | null;
  /** The sign-in its token belongs to, `fam_…`; null for a key. */
  readonly familyId: string | null;
}
