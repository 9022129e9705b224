/**
 * From parts to a server that is ready to listen: the generation in force, the core, the
 * control plane, and the edge before them.
 */
import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import type { TermsOf } from '../gateway/model/terms.ts';
import { createBreakerRegistry } from '../gateway/resilience/breaker-registry.ts';
import {
  type AdminServices,
  answerCodecs,
  createAdminApp,
  createBodyCapture,
  createCrossOrigin,
  createEdge,
  createOriginReader,
  createThreads,
  endpointFamilies,
  inferenceEndpoints,
  modelRoutes,
  type OriginReader,
  placePrompt,
  type RunningExchange,
  responseRoutes,
} from '../http/index.ts';
import { readNetworks } from '../identity/index.ts';
import { LinkedList } from '../kernel/linked-list.ts';
import { readOrigins } from '../kernel/origins.ts';
import { STARTING, type StartupCheck } from '../operations/index.ts';
import { createRequestMeter } from '../telemetry/http-meters.ts';
import { type Exposition, exposeTogether } from '../telemetry/metrics.ts';
import { createObserver } from '../telemetry/observer.ts';
import { watchProcess } from '../telemetry/process-metrics.ts';
import { createAdminServices } from './admin-services.ts';
import { createBreakerControl } from './breaker-control.ts';
import { type CacheParts, countedIn, createCacheParts } from './cache.ts';
import { createCacheControl, sharedTierOf } from './cache-control.ts';
import { createConfigControl } from './config-control.ts';
import { createCounters } from './counters.ts';
import { forgetErased } from './forget-erased.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createGenerations, type LiveGeneration } from './generations.ts';
import { createHealth, degradedNames, type HealthDeps, type Lifecycle } from './health.ts';
import { startJobs } from './jobs.ts';
import { breakerListener, keyListener, sampleMeters } from './meters.ts';
import { openBucket } from './object-storage.ts';
import { requireOneHost } from './one-host.ts';
import type { Parts, Undo } from './parts.ts';
import { createProviderPool } from './providers.ts';
import { createFleet, openSharedStores, type SharedStores } from './redis.ts';
import { createReplays } from './replays.ts';
import { requireSameSecretInRedis } from './shared-secret.ts';
import { watchStanding } from './standing.ts';
import { startupChecks } from './startup/checks.ts';
import { createTenantData, type TenantData } from './tenant-data.ts';
import { overlayTerms } from './terms.ts';
import { openTracing } from './tracing.ts';

export interface Serving {
  readonly server: Server;
  readonly checks: readonly StartupCheck[];
  readonly lifecycle: Lifecycle;
  readonly running: LinkedList<RunningExchange>;
}

/** How often the names of what is degraded are looked up for the header of every answer. */
const DEGRADED_REFRESH_MS = 250;
const HOST_DIGITS = 8;

export async function createServing(parts: Parts, undo: Undo): Promise<Serving> {
  const { clock, random, keeper, storage, identity, telemetry, flags } = parts;
  const { metrics } = telemetry;
  const log = telemetry.log.named('gateway');
  const pool = createProviderPool({ clock, random, log });
  undo.push(() => pool.destroy());
  const current = createGenerations({ ...parts, log, pool, prices: storage.prices });
  const breakers = createBreakerRegistry({ clock, listener: breakerListener(metrics, log) });
  const { config } = keeper.current;
  const shared = await openSharedStores({ clock, random, telemetry, config, breakers });
  undo.push(() => shared?.close());
  await requireOwnRedis(parts, shared, undo);
  const counters = await createCounters(parts, config, shared?.state ?? null);
  undo.push(() => counters.close());
  const replays = await createReplays(parts, () => current().config, shared?.state ?? null);
  undo.push(() => replays.close());
  const cache = createCacheParts(parts, shared, config);
  undo.push(() => cache.close());
  const fleet = createFleet(parts, shared, cache.store);
  const watch = await createWatch(parts, cache.book, undo);
  const gateway = createGateway(
    {
      ...parts,
      ...{ breakers, counters, replays, sharedCache: cache.store, fleet },
      keyListener: keyListener(metrics, log),
      ...{ codecs: answerCodecs, placePrompt },
      threads: createThreads(storage.responses, () => current().config.responses),
      observer: watch.observer,
      providers: () => current().providers,
      routes: () => current().routes,
      features: flags.snapshot,
      terms: termsOf(parts, current),
      settings: () => current().config,
    },
    config,
  );
  const capture = createBodyCapture(() => current().config.capture, storage.bodies);
  startJobs(parts, current, undo);
  const bucket = await openBucket(parts, undo);
  const lifecycle: Lifecycle = { phase: 'starting', startup: STARTING };
  const control = createCacheControl({ gateway, current, clock, ...cache });
  const health: HealthDeps = {
    storage,
    snapshot: identity.keySnapshot,
    ...{ shared, counters, replays, bucket, breakers },
    providers: () => Object.keys(current().config.providers),
    cacheEnabled: () => current().config.cache.enabled,
    cacheStats: async () => sharedTierOf(await control.stats(null)),
  };
  const degraded = () => degradedNames(health);
  sampleMeters(metrics, { storage, capture, gateway, current, pool, flags, degraded });
  const meter = createRequestMeter(metrics);
  const made = { cache: control, meter, data: runTenantJobs(parts, undo) };
  const admin = await createAdmin(parts, { gateway, current, health, lifecycle, ...made });
  undo.push(() => admin.close());
  const running = new LinkedList<RunningExchange>();
  const kept = { tiers: gateway.tiers, replays: replays.store, book: cache.book, shared };
  undo.push(watchStanding(parts, running), forgetErased(parts, kept));
  const server = createEdge(
    {
      ...edgeDeps(parts, current, health, running),
      ...{ within: telemetry.scope.run, trace: watch.trace },
      ...{ pipeline: gateway.pipeline, capture, meter, leaving: () => isLeaving(lifecycle) },
    },
    (request, response) => admin.routing(request, response),
  );
  const { providers } = current();
  const checks = startupChecks({ clock, loaded: parts.loaded, storage, providers, shared, bucket });
  return { server, checks, lifecycle, running };
}

/** Who is told of exchanges and of the process, and what places exchanges in traces, if any. */
async function createWatch(parts: Parts, book: CacheParts['book'], undo: Undo) {
  const { log, metrics } = parts.telemetry;
  const process = watchProcess(metrics);
  undo.push(() => process.close());
  const tracing = await openTracing(parts, undo);
  const observer = countedIn(book, createObserver(log, metrics));
  return { observer: tracing?.watching(observer) ?? observer, trace: tracing?.open ?? null };
}

/** Of the configuration in force and of the tenants as they stand. */
function termsOf({ identity }: Parts, current: () => LiveGeneration): TermsOf {
  return overlayTerms((tenant) => current().terms(tenant), identity.tenantSnapshot.get);
}

function isLeaving({ phase }: Lifecycle): boolean {
  return phase === 'draining';
}

/** Throws where others of another secret, or of another host's data, are at this Redis. */
async function requireOwnRedis(
  { clock, identity, keeper, telemetry }: Parts,
  shared: SharedStores | null,
  undo: Undo,
): Promise<void> {
  const log = telemetry.log.named('gateway');
  await requireSameSecretInRedis(shared, identity.secrets, { clock, log });
  undo.push(await requireOneHost(shared, keeper.current.config, { clock, log }));
}

/** Goes on with what is being done with tenants' data wherever nobody else does. */
function runTenantJobs(parts: Parts, undo: Undo): TenantData {
  const { identity, storage, telemetry, loaded } = parts;
  const log = telemetry.log.named('tenancy');
  const data = createTenantData({ ...parts, log }, loaded.config, identity, storage);
  data.jobs.watch(() => identity.tenantSnapshot.unfinished());
  undo.push(() => data.jobs.stop());
  return data;
}

interface AdminParts {
  readonly data: TenantData;
  readonly gateway: Gateway;
  readonly current: () => LiveGeneration;
  readonly health: HealthDeps;
  readonly lifecycle: Lifecycle;
  readonly cache: AdminServices['cache'];
  readonly meter: AdminServices['meter'];
}

function createAdmin(parts: Parts, made: AdminParts) {
  const { gateway, current, health, lifecycle, cache, meter, data } = made;
  const { clock, ids, storage, identity, telemetry, keeper, loaded, flags } = parts;
  const services = createAdminServices({
    ...{ clock, ids, storage, identity, gateway, current, cache, meter },
    data,
    ...{ log: telemetry.log.named('control'), within: telemetry.scope.run },
    metrics: async () => (flags.isOnHere('prometheus_metrics') ? expose(parts) : null),
    flags,
    health: createHealth(health, lifecycle),
    originOf: originReader(loaded.config, identity),
    isAlone: isAlone(loaded.config),
    config: createConfigControl(keeper, loaded, clock),
    breakers: createBreakerControl({
      ...{ breakers: gateway.breakers, member: parts.member, worker: workerName() },
      log: telemetry.log.log,
    }),
  });
  return createAdminApp(services, {
    routes: [modelRoutes(() => current().routes), responseRoutes(storage.responses)],
  });
}

/** As `x-esclusa-worker` says it, to strangers too: hosts are told apart and not named. */
function workerName(): string {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, HOST_DIGITS);
  return `${host}-${process.pid}`;
}

/** Nothing is shared: neither a Redis nor a database that others can reach. */
function isAlone({ database, redis, workers }: Config): boolean {
  return redis === null && workers === 1 && database.kind === 'sqlite';
}

/** Of all workers as one, or of this process where the others cannot be asked. */
async function expose({ telemetry, member }: Parts): Promise<Exposition> {
  const everybody = await member?.gather().catch((error) => {
    telemetry.log.log.warn('the figures of the other workers are missing', { error });
    return null;
  });
  return everybody ? exposeTogether(everybody) : telemetry.metrics.expose();
}

function edgeDeps(
  { clock, ids, loaded, identity }: Parts,
  current: () => LiveGeneration,
  health: HealthDeps,
  running: LinkedList<RunningExchange>,
) {
  const { http } = loaded.config;
  return {
    clock,
    ids,
    running,
    originOf: originReader(loaded.config, identity),
    crossOrigin: createCrossOrigin(readOrigins(http.allowedOrigins ?? '', () => undefined)),
    endpoints: inferenceEndpoints,
    families: endpointFamilies,
    facts: { worker: workerName(), degraded: rarely(clock, health) },
    stalledReaderMs: http.stalledReaderMs,
    limits: () => current().config,
    generation: () => current().number,
    settings: {
      headersTimeoutMs: http.headersTimeoutMs,
      requestTimeoutMs: http.requestTimeoutMs,
      keepAliveTimeoutMs: http.keepAliveMs,
    },
  };
}

function originReader(
  { http }: Config,
  { tenantSnapshot, developerSecret }: Parts['identity'],
): OriginReader {
  const proxies = http.trustedProxies === null ? [] : http.trustedProxies.split(',');
  const networks = readNetworks(proxies.map((text) => text.trim()));
  const isTrusted = (address: string): boolean => networks.has(address);
  return createOriginReader(isTrusted, tenantSnapshot, developerSecret);
}

/** The names of what is degraded, looked up a few times a second and not for every answer. */
function rarely(clock: Parts['clock'], health: HealthDeps): () => string {
  let names = '';
  let untilMs = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= untilMs) {
      names = degradedNames(health).join(', ');
      untilMs = nowMs + DEGRADED_REFRESH_MS;
    }
    return names;
  };
}
