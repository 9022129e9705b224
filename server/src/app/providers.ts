/**
 * The providers of a generation: each adapter with its way out. A way out is kept from one
 * generation to the next as long as its address and bounds stay the same, so that a reload
 * does not cost connections; one that is no longer used is closed once its last call is over.
 * A provider that a reload removed is still found by exchanges that were routed to it before.
 */
import { createHash } from 'node:crypto';
import type { Config, ProviderConfig } from '../config/index.ts';
import type { Provider, Providers } from '../gateway/ports/provider.ts';
import { assert } from '../kernel/assert.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Random } from '../kernel/random.ts';
import {
  createInProcessUpstream,
  createKeyedAdapters,
  createProviderAdapter,
} from '../providers/registry.ts';
import {
  createHttpUpstream,
  type HttpUpstream,
  type UpstreamFigures,
} from '../transport/http-upstream.ts';
import { checkProviderUrl, operatorUrlPolicy } from '../transport/url-guard.ts';

export interface ProviderPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ProviderPool {
  /** The providers of a configuration; ways out that it no longer uses are closed. */
  connect(config: Config): Providers;
  /** Of every way out that is in use, by its provider. */
  figures(): readonly (UpstreamFigures & { readonly provider: string })[];
  /** Cuts every call. */
  destroy(): Promise<void>;
}

type Connected = Map<string, { readonly provider: string; readonly upstream: HttpUpstream }>;

export function createProviderPool(deps: ProviderPoolDeps): ProviderPool {
  let connected: Connected = new Map();
  let latest: ReadonlyMap<string, Provider> = new Map();

  function remoteUpstream(
    config: Config,
    { name, maxConcurrency }: ProviderConfig,
    baseUrl: string,
    used: Connected,
  ): HttpUpstream {
    const connectMs = longestConnectMs(config, name);
    const identity = JSON.stringify([name, baseUrl, maxConcurrency, connectMs]);
    const upstream =
      used.get(identity)?.upstream ??
      connected.get(identity)?.upstream ??
      createHttpUpstream({
        ...deps,
        name,
        baseUrl: checkedUrl(name, baseUrl),
        connectMs,
        connections: maxConcurrency,
      });
    used.set(identity, { provider: name, upstream });
    return upstream;
  }

  return {
    connect(config) {
      const used: Connected = new Map();
      const providers = new Map<string, Provider>();
      for (const provider of Object.values(config.providers)) {
        const { connection } = provider;
        const upstream =
          createInProcessUpstream(provider, deps) ??
          remoteUpstream(config, provider, 'baseUrl' in connection ? connection.baseUrl : '', used);
        providers.set(provider.name, { ...adaptersOf(provider), upstream });
      }
      closeUnused(deps, config, connected, used);
      connected = used;
      const before = latest;
      latest = providers;
      return { get: (name) => providers.get(name) ?? before.get(name) };
    },
    figures: () =>
      [...connected.values()].map(({ provider, upstream }) => ({
        provider,
        ...upstream.figures(),
      })),
    async destroy() {
      await Promise.all([...connected.values()].map(({ upstream }) => upstream.destroy()));
    },
  };
}

/** Of the provider and of all its targets: each call then keeps to its own. */
function longestConnectMs({ providers, models }: Config, provider: string): number {
  const targets = Object.values(models).flatMap((model) => model.targets);
  const own = targets.filter((target) => target.provider === provider);
  const limits = own.map(({ timeouts }) => timeouts.connectMs);
  return Math.max(providers[provider]?.timeouts.connectMs ?? 0, ...limits);
}

function adaptersOf(provider: ProviderConfig): Omit<Provider, 'upstream'> {
  const { name, apiKeys } = provider;
  if (apiKeys.length < 2) return { adapter: createProviderAdapter(provider) };
  const keys = createKeyedAdapters(provider, apiKeys).map((adapter, index) => ({
    id: `${name} ${fingerprint(apiKeys[index] ?? '')}`,
    name: String(index + 1),
    adapter,
  }));
  const [first] = keys;
  assert(first !== undefined, 'there are several keys');
  return { adapter: first.adapter, keys };
}

/** So that a key keeps its rest over a reload, and nobody keeps the key for that. */
function fingerprint(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

/** Exchanges of the old generation may still call: they are given their longest time. */
function closeUnused(
  { clock, log }: ProviderPoolDeps,
  config: Config,
  before: Connected,
  used: Connected,
): void {
  for (const [identity, { upstream }] of before) {
    if (used.has(identity)) continue;
    clock.setTimer(config.resilience.timeouts.totalMs, () => {
      upstream.close().catch((error) => log.warn('a way out did not close', { error }));
    });
  }
}

function checkedUrl(name: string, baseUrl: string): URL {
  const checked = checkProviderUrl(baseUrl, operatorUrlPolicy);
  if (checked.ok) return checked.url;
  throw new Error(`providers.${name}.base_url: ${checked.problem}`);
}
