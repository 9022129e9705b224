/**
 * Joins providers with the catalogue: which vendor a provider talks to, and the gaps of its
 * settings filled from that vendor's entry and the vendor's own variable.
 *
 * A vendor's key is only ever sent to that vendor's own host: a provider at another address
 * gets it by being given it.
 */
import { MOCK_NAME } from '../providers/mock/settings.ts';
import { openaiSettings } from '../providers/openai/settings.ts';
import type { Vendor } from './catalogue-entries.ts';
import type { ProviderSettings } from './effective.ts';
import type { Problem } from './problem.ts';
import type { Settings } from './schema/file.ts';
import { providersMap } from './schema/routing.ts';
import { type Environment, notAccepted, textOf } from './source/environment.ts';

/** The vendor a provider talks to; null where the catalogue does not know it. */
export function vendorOf(
  name: string,
  provider: ProviderSettings,
  vendors: readonly Vendor[],
): Vendor | null {
  const candidates = vendors.filter(({ kind }) => kind === provider.kind);
  const find = (matches: (vendor: Vendor) => boolean): Vendor | null =>
    candidates.find(matches) ?? null;
  if ('vendor' in provider && provider.vendor !== undefined) {
    return find(({ id }) => id === provider.vendor);
  }
  if (candidates.length === 1) return candidates[0] ?? null;
  const baseUrl = 'base_url' in provider ? provider.base_url : undefined;
  if (baseUrl === undefined) return find(({ id }) => id === name);
  return find((vendor) => isAtHome(vendor, baseUrl));
}

/** True where the address is on the vendor's own host. */
export function isAtHome(vendor: Vendor, baseUrl: string): boolean {
  return vendor.baseUrl !== null && hostOf(vendor.baseUrl) === hostOf(baseUrl);
}

export interface VendorKeys {
  /** By the vendor's name in the catalogue. */
  readonly keys: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** The keys of vendors that are in the environment, and those that cannot be keys. */
export function readVendorKeys(vendors: readonly Vendor[], env: Environment): VendorKeys {
  const keys = new Map<string, string>();
  const problems: Problem[] = [];
  const schema = openaiSettings.shape.api_key;
  for (const { id, kind, apiKeyEnv } of vendors) {
    const key = apiKeyEnv === null ? undefined : textOf(env, apiKeyEnv);
    if (kind === null || apiKeyEnv === null || key === undefined) continue;
    if (schema.safeParse(key).success) keys.set(id, key);
    else problems.push(notAccepted(env, apiKeyEnv, schema));
  }
  return { keys, problems };
}

/** A provider for every vendor whose key is in the environment. */
export function providersFromKeys(
  vendors: readonly Vendor[],
  { keys }: VendorKeys,
): Settings['providers'] {
  const found = vendors.filter(({ id }) => keys.has(id));
  return providersMap.parse(Object.fromEntries(found.map(({ id, kind }) => [id, { kind }])));
}

/** Fills address and key of every provider from its vendor, where they were left out. */
export function fillGaps(
  providers: Settings['providers'],
  vendors: readonly Vendor[],
  { keys }: VendorKeys,
): Settings['providers'] {
  const filled = Object.entries(providers).map(([name, provider]) => {
    if (provider.kind === MOCK_NAME) return [name, provider] as const;
    const vendor = vendorOf(name, provider, vendors);
    const base_url = (provider.base_url ?? vendor?.baseUrl ?? undefined)?.replace(/\/+$/, '');
    const mayHaveKey = vendor !== null && base_url !== undefined && isAtHome(vendor, base_url);
    const own = provider.api_key ?? provider.api_keys?.[0];
    const api_key = own ?? (mayHaveKey ? keys.get(vendor.id) : undefined);
    const extra = { ...(base_url ? { base_url } : {}), ...(api_key ? { api_key } : {}) };
    return [name, { ...provider, ...extra }] as const;
  });
  return Object.fromEntries(filled);
}

/** The built-in provider and alias, where the file does not use their names otherwise. */
export function withMock(settings: Settings): Settings {
  const mock = providersMap.parse({ [MOCK_NAME]: { kind: MOCK_NAME } });
  const providers = { ...mock, ...settings.providers };
  if (providers[MOCK_NAME]?.kind !== MOCK_NAME) return { ...settings, providers };
  const target = { provider: MOCK_NAME, model: MOCK_NAME, weight: 1 };
  const alias = { [MOCK_NAME]: { strategy: 'fallback' as const, targets: [target] } };
  return { ...settings, providers, models: { ...alias, ...settings.models } };
}

function hostOf(url: string): string {
  return new URL(url).host;
}
