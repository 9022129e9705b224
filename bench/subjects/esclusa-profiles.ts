/**
 * The profiles in which Esclusa is measured, as configuration files and limits of the key. The
 * first has everything off that a setting can switch off; checking the key and writing the
 * ledger cannot be, so they are part of every profile.
 */

export interface Profile {
  readonly logLevel: 'info' | 'error';
  /** null: calls are made with the administrator's key, which has neither limits nor budget. */
  readonly key: { readonly limits: object; readonly budget?: object } | null;
  readonly settings: object;
}

const MANY = 1_000_000_000;
const LIMITS = { requests_per_minute: MANY, tokens_per_minute: MANY, concurrency: 100_000 };
const BUDGET = { limit_usd: '999999', period: 'month' };

const off = {
  cache: { enabled: false },
  metrics: { enabled: false },
  journal: { fsync: 'off' },
  resilience: { max_concurrency: 100_000, breaker: { enabled: false } },
};

const on = {
  // As many entries as fit: the bound that counts is the 32 MB of the memory bar.
  cache: { enabled: true, max_entries: 1_000_000, max_bytes: 32 * 1024 * 1024 },
  metrics: { enabled: true },
  journal: { fsync: 'every_second' },
  resilience: { max_concurrency: 100_000, breaker: { enabled: true } },
};

export const proxyOnly: Profile = { logLevel: 'error', key: null, settings: off };

export const authAndLimits: Profile = { logLevel: 'error', key: { limits: LIMITS }, settings: off };

export const everything: Profile = {
  logLevel: 'info',
  key: { limits: LIMITS, budget: BUDGET },
  settings: on,
};

/** The whole configuration file. YAML reads JSON. */
export function configurationFile(profile: Profile, upstreamOrigin: string): string {
  return JSON.stringify({
    ...profile.settings,
    providers: {
      up: { kind: 'openai-compatible', base_url: `${upstreamOrigin}/v1`, api_key: 'bench' },
    },
    models: {
      bench: {
        targets: [{ provider: 'up', model: 'm' }],
        max_output_tokens: 4096,
        price: { input_usd_per_million: 0.15, output_usd_per_million: 0.6 },
      },
    },
  });
}
