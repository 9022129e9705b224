/**
 * Everything made of the configuration in force: routes and providers of one number. A reload
 * makes the next generation whole before it replaces the one in force; requests that began
 * under the old one end under it.
 */
import type { Catalogue, Config, ConfigKeeper, Generation } from '../config/index.ts';
import type { TermsOf } from '../gateway/model/terms.ts';
import type { Providers } from '../gateway/ports/provider.ts';
import type { Routes } from '../gateway/ports/routes.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { PriceRecord, PriceRepository } from '../storage/index.ts';
import type { Flags } from './flags.ts';
import type { ProviderPool } from './providers.ts';
import { buildRoutes } from './routes.ts';
import { createTerms } from './terms.ts';

export interface LiveGeneration {
  readonly number: number;
  readonly config: Config;
  /** False: the flag turns them off; a breaker then never opens. */
  readonly hasBreakers: boolean;
  readonly routes: Routes;
  readonly providers: Providers;
  readonly terms: TermsOf;
}

export interface GenerationDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly pool: ProviderPool;
  readonly prices: PriceRepository;
  readonly keeper: ConfigKeeper;
  readonly flags: Pick<Flags, 'isOnHere' | 'snapshot'>;
}

/** Answers the way to the generation in force, now and after every reload. */
export function createGenerations(deps: GenerationDeps): () => LiveGeneration {
  let current = build(deps, deps.keeper.current);
  deps.keeper.subscribe((generation) => {
    current = build(deps, generation);
  });
  deps.flags.snapshot.onChange(() => {
    if (current.hasBreakers !== deps.flags.isOnHere('circuit_breaker')) {
      current = build(deps, deps.keeper.current);
    }
  });
  return () => current;
}

function build(deps: GenerationDeps, generation: Generation): LiveGeneration {
  const { number, config } = generation;
  const nowMs = deps.clock.wallMs();
  const hasBreakers = deps.flags.isOnHere('circuit_breaker');
  const routes = buildRoutes({ config, number, hasBreakers }, deps.catalogue, nowMs);
  deps.prices.savePrices(pricesOf(config, routes, nowMs)).catch((error) => {
    deps.log.warn('prices were not saved; ledger rows name them by their id alone', { error });
  });
  const providers = deps.pool.connect(config);
  return { number, config, hasBreakers, routes, providers, terms: createTerms(config) };
}

/** The figures behind every price that ledger rows may name from now on. */
function pricesOf(config: Config, routes: Routes, nowMs: number): readonly PriceRecord[] {
  const names = [...Object.keys(config.models), ...routes.list().map(({ name }) => name)];
  return names.flatMap((name) =>
    (routes.resolve(name)?.targets ?? []).flatMap(({ provider, model, price }) =>
      price === null ? [] : [{ ...price, provider, model, effectiveFromMs: nowMs }],
    ),
  );
}
