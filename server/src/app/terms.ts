/**
 * What tenants may use, in the words of the core: as the configuration says it, and over that
 * as operators set it for a tenant while the program runs.
 */
import type { AllowanceConfig, Config } from '../config/index.ts';
import type { Limits } from '../gateway/model/principal.ts';
import type { Allowance, Terms, TermsOf } from '../gateway/model/terms.ts';
import type { TenantRecord } from '../tenancy/index.ts';

export function createTerms({ tenants }: Pick<Config, 'tenants'>): TermsOf {
  const any: Terms = { weight: 1, limits: {}, budget: null, models: new Map() };
  const terms = new Map(
    Object.entries(tenants).map(([slug, { weight, models, ...own }]) => {
      const ofModels = Object.entries(models).map(
        ([model, allowance]) => [model, allowanceOf(allowance)] as const,
      );
      return [slug, { weight, ...allowanceOf(own), models: new Map(ofModels) }] as const;
    }),
  );
  return (tenant) => terms.get(tenant) ?? any;
}

/** Each limit and each budget that is set for the tenant replaces the configuration's. */
export function overlayTerms(
  configured: TermsOf,
  recordOf: (tenant: string) => TenantRecord | null,
): TermsOf {
  const joined = new WeakMap<TenantRecord, { readonly base: Terms; readonly terms: Terms }>();
  return (tenant) => {
    const base = configured(tenant);
    const record = recordOf(tenant);
    if (record === null) return base;
    const known = joined.get(record);
    if (known?.base === base) return known.terms;
    const terms = join(base, record);
    joined.set(record, { base, terms });
    return terms;
  };
}

function join(base: Terms, record: TenantRecord): Terms {
  const models = new Map(base.models);
  for (const [model, own] of Object.entries(record.models)) {
    models.set(model, over(models.get(model) ?? { limits: {}, budget: null }, own));
  }
  return { ...base, ...over(base, record), models };
}

function over(base: Allowance, own: Allowance): Allowance {
  return { limits: { ...base.limits, ...own.limits }, budget: own.budget ?? base.budget };
}

function allowanceOf({ limits, budget }: AllowanceConfig): Allowance {
  return { limits: limitsOf(limits), budget };
}

function limitsOf(limits: AllowanceConfig['limits']): Limits {
  const entries = Object.entries(limits).filter(([, limit]) => limit !== null);
  return Object.fromEntries(entries);
}
