/**
 * Who calls: an API key (later also a user), its tenant, its roles, and what it may use.
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

export interface Principal {
  readonly kind: 'api_key';
  /** Identifier of the key, `key_…`; `key_admin` for the one of the environment. */
  readonly keyId: string;
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
  /** Aliases and `provider/model` names the key may ask for; null means all of them. */
  readonly models: readonly string[] | null;
  readonly limits: Limits;
  readonly budget: Budget | null;
  /** Milliseconds since the epoch; null means never. */
  readonly expiresAtMs: number | null;
}
