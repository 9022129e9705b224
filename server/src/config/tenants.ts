/**
 * What tenants may use, read from the `tenants` settings, which were checked before.
 */
import { assert } from '../kernel/assert.ts';
import { type Nanousd, nanousdFromDecimal } from '../kernel/money.ts';
import type { Settings } from './schema/file.ts';

export interface AllowanceConfig {
  /** null: not limited. */
  readonly limits: {
    readonly requestsPerMinute: number | null;
    readonly tokensPerMinute: number | null;
    readonly concurrency: number | null;
  };
  readonly budget: {
    readonly limitNanousd: Nanousd;
    readonly period: 'day' | 'month' | 'total';
    readonly soft: boolean;
  } | null;
}

export interface TenantConfig extends AllowanceConfig {
  readonly weight: number;
  /** By the model as it is asked for. */
  readonly models: Readonly<Record<string, AllowanceConfig>>;
}

type TenantSettings = Settings['tenants'][string];
type AllowanceSettings = Pick<TenantSettings, 'limits' | 'budget'>;

export function tenantConfig(tenant: TenantSettings): TenantConfig {
  const models = Object.entries(tenant.models).map(
    ([model, allowance]) => [model, allowanceConfig(allowance)] as const,
  );
  return {
    ...allowanceConfig(tenant),
    weight: tenant.weight,
    models: Object.fromEntries(models),
  };
}

function allowanceConfig({ limits, budget }: AllowanceSettings): AllowanceConfig {
  return {
    limits: {
      requestsPerMinute: limits.requests_per_minute ?? null,
      tokensPerMinute: limits.tokens_per_minute ?? null,
      concurrency: limits.concurrency ?? null,
    },
    budget: budget === undefined ? null : budgetConfig(budget),
  };
}

function budgetConfig(budget: NonNullable<TenantSettings['budget']>) {
  const limitNanousd = nanousdFromDecimal(budget.limit_usd);
  assert(limitNanousd !== null, 'the schema lets only decimals through');
  return { limitNanousd, period: budget.period, soft: budget.soft };
}
