/**
 * What tenants may use, as the configuration says it, in the words of the core.
 */
import type { AllowanceConfig, Config } from '../config/index.ts';
import type { Limits } from '../gateway/model/principal.ts';
import type { Allowance, Terms, TermsOf } from '../gateway/model/terms.ts';

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

function allowanceOf({ limits, budget }: AllowanceConfig): Allowance {
  return { limits: limitsOf(limits), budget };
}

function limitsOf(limits: AllowanceConfig['limits']): Limits {
  const entries = Object.entries(limits).filter(([, limit]) => limit !== null);
  return Object.fromEntries(entries);
}
