/**
 * The core with its adapters: the pipeline, and what the control plane may look at.
 */
import type { Config } from '../config/index.ts';
import { createCacheKeys } from '../gateway/caching/key.ts';
import { createSingleFlight } from '../gateway/caching/single-flight.ts';
import { createTiers, type Tiers } from '../gateway/caching/tiers.ts';
import {
  type AnswerCodecs,
  createPipeline,
  type Explain,
  type PipelineHandler,
  type Threads,
} from '../gateway/index.ts';
import { createFairGate, type FairGate } from '../gateway/limits/fair-gate.ts';
import type { TermsOf } from '../gateway/model/terms.ts';
import { createExplain } from '../gateway/pipeline/explain.ts';
import { SHARING } from '../gateway/pipeline/fly.ts';
import type { ReplayDeps } from '../gateway/pipeline/replay.ts';
import type { Shared } from '../gateway/pipeline/shared-answer.ts';
import type { BudgetStore } from '../gateway/ports/budget-store.ts';
import type { SharedCacheStore } from '../gateway/ports/cache-store.ts';
import type { Features } from '../gateway/ports/features.ts';
import type { ExchangeObserver } from '../gateway/ports/observer.ts';
import type { PlacePrompt } from '../gateway/ports/prompts.ts';
import type { Providers } from '../gateway/ports/provider.ts';
import type { Routes } from '../gateway/ports/routes.ts';
import type { SharedFlights } from '../gateway/ports/shared-flights.ts';
import type { BreakerRegistry } from '../gateway/resilience/breaker-registry.ts';
import { createBulkheads } from '../gateway/resilience/bulkhead.ts';
import { createFirstTokenBook } from '../gateway/resilience/first-token-budget.ts';
import { createKeyRotation, type KeyListener } from '../gateway/resilience/key-rotation.ts';
import { createPolicyStack } from '../gateway/resilience/policy-stack.ts';
import { createRetryBudgets } from '../gateway/resilience/retry.ts';
import { createLatencyBook } from '../gateway/routing/latency-book.ts';
import type { Clock } from '../kernel/clock.ts';
import type { FaultPoints } from '../kernel/fault.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Random } from '../kernel/random.ts';
import type { Storage } from '../storage/index.ts';
import { createMemoryCacheStore, type MemoryCacheStore } from '../stores/memory/cache-store.ts';
import type { Counters } from './counters.ts';
import type { Identity } from './identity.ts';

export interface GatewayDeps {
  readonly codecs: AnswerCodecs;
  readonly threads: Threads;
  readonly placePrompt: PlacePrompt;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly faults: FaultPoints;
  readonly observer: ExchangeObserver;
  readonly breakers: BreakerRegistry;
  readonly keyListener: KeyListener;
  readonly identity: Identity;
  readonly storage: Pick<Storage, 'ledger'>;
  readonly counters: Counters;
  readonly replays: ReplayDeps;
  readonly terms: TermsOf;
  /** The second tier of the cache; null: there is none. */
  readonly sharedCache: SharedCacheStore | null;
  /** null: this process shares its calls with no other. */
  readonly fleet: SharedFlights | null;
  readonly providers: () => Providers;
  readonly routes: () => Routes;
  readonly features: Features;
  /** Those in force. */
  readonly settings: () => Pick<Config, 'routing' | 'tracing'>;
}

export interface Gateway {
  readonly pipeline: PipelineHandler;
  readonly breakers: BreakerRegistry;
  readonly budgets: BudgetStore;
  readonly terms: TermsOf;
  readonly cache: MemoryCacheStore;
  readonly explain: Explain;
  readonly gate: Pick<FairGate, 'waiting'>;
  /** The cache with what is behind it. */
  readonly tiers: Tiers;
}

const MS_PER_SECOND = 1000;

export function createGateway(deps: GatewayDeps, config: Config): Gateway {
  const { clock, random, identity, storage, breakers } = deps;
  const { limits, budgets } = deps.counters;
  const { maxEntries, maxBytes } = config.cache;
  const cache = createMemoryCacheStore({ clock, maxEntries, maxBytes });
  const tiers = createTiers(cache, deps.sharedCache);
  const gate = createGate(deps, config);
  const bulkheads = createBulkheads();
  const policies = createPolicyStack({
    clock,
    random,
    breakers,
    bulkheads,
    retryBudgets: createRetryBudgets(clock),
    firstTokens: createFirstTokenBook(),
  });
  const { settings } = deps;
  const latency = createLatencyBook(
    clock,
    () => settings().routing.latencyDecaySeconds * MS_PER_SECOND,
  );
  const keys = createCacheKeys(identity.secrets.cacheKey);
  const pipeline = createPipeline({
    ...deps,
    authenticator: identity.authenticator,
    ledger: storage.ledger,
    ...{ limits, budgets },
    guardrails: [],
    gate,
    store: tiers,
    newId: () => deps.ids.next('req'),
    fleet: deps.fleet,
    keys,
    flights: createSingleFlight<Shared>(SHARING),
    policies,
    keyRotation: createKeyRotation(clock, deps.keyListener),
    bulkheads,
    latency,
    passesTrace: () => settings().tracing.passOn,
  });
  const { routes } = deps;
  const explain = createExplain({
    ...{ policies, bulkheads, latency, random, routes, keys },
    features: deps.features,
    placePrompt: deps.placePrompt,
  });
  return { pipeline, breakers, budgets, terms: deps.terms, cache, tiers, explain, gate };
}

function createGate({ clock, terms }: GatewayDeps, { http }: Config): FairGate {
  const settings = {
    capacity: http.maxInFlight,
    maxWaiting: http.maxQueued,
    maxWaitingPerTenant: http.maxQueuedPerTenant,
    maxWaitMs: http.maxQueueWaitMs,
  };
  return createFairGate(clock, settings, (tenant) => terms(tenant).weight);
}
