/**
 * What a tenant may use as a whole, and of single models; and its weight against other tenants
 * where they compete.
 */
import type { Budget, Limits } from './principal.ts';

export interface Allowance {
  readonly limits: Limits;
  readonly budget: Budget | null;
}

export interface Terms extends Allowance {
  /** Greater than zero; 1 where nothing is said. */
  readonly weight: number;
  /** By the model as it is asked for. */
  readonly models: ReadonlyMap<string, Allowance>;
}

export type TermsOf = (tenant: string) => Terms;
