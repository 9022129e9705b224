/**
 * The routes of a generation: the configuration's aliases and providers joined with what the
 * catalogue knows of their models.
 */
import {
  type Catalogue,
  type Config,
  createTargetResolver,
  type Generation,
  type ResolvedTarget,
  ROLE_PREFIX,
} from '../config/index.ts';
import type { ModelListing, RouteCachePolicy } from '../gateway/model/route.ts';
import type { Target } from '../gateway/model/target.ts';
import type { Routes } from '../gateway/ports/routes.ts';
import { createRoutes } from '../gateway/routing/routes.ts';
import { MOCK_NAME } from '../providers/mock/settings.ts';

export interface RouteInput extends Pick<Generation, 'config' | 'number'> {
  /** False: the flag turns breakers off. */
  readonly hasBreakers?: boolean;
}

export function buildRoutes(
  { config, number, hasBreakers = true }: RouteInput,
  catalogue: Catalogue,
  nowMs: number,
): Routes {
  const resolver = createTargetResolver(config, catalogue);
  const asTarget = (target: ResolvedTarget): Target => withKillSwitch(config, hasBreakers, target);
  const direct = (provider: string, model: string): Target | undefined => {
    const target = resolver.direct(provider, model, nowMs);
    return target === null ? undefined : asTarget(target);
  };
  return createRoutes({
    generation: number,
    aliases: Object.values(config.models).map((model) => ({
      name: model.alias,
      strategy: model.strategy,
      ...(model.sticky !== undefined && { sticky: model.sticky }),
      targets: (resolver.alias(model.alias, nowMs) ?? []).map(asTarget),
      cache: model.cache,
      ...(model.prompt !== undefined && { prompt: model.prompt }),
      ...(model.experiment !== undefined && { experiment: model.experiment }),
    })),
    names: otherNames(config),
    direct,
    short: (name) => (isScript(config, name) ? direct(MOCK_NAME, name) : undefined),
    directCache: cachePolicy(config),
    providerIdentity: (name) => identityOf(config, name),
    listings: [
      ...aliasListings(config, nowMs),
      ...roleListings(config, nowMs),
      ...directListings(config, catalogue, nowMs),
    ],
  });
}

/** `mock:status=503` is what the built-in provider is to do; production has no use for it. */
function isScript({ environment, providers }: Config, name: string): boolean {
  const isBuiltIn = providers[MOCK_NAME]?.kind === MOCK_NAME;
  return environment !== 'production' && isBuiltIn && name.startsWith(`${MOCK_NAME}:`);
}

/** Names under which aliases and models are asked for beside their own. */
function otherNames({ roles, retiredModels }: Config): ReadonlyMap<string, string> {
  const asRoles = Object.entries(roles).map(([role, model]) => [roleName(role), model] as const);
  return new Map([...Object.entries(retiredModels), ...asRoles]);
}

function roleName(role: string): string {
  return `${ROLE_PREFIX}/${role}`;
}

/** A breaker that is switched off is one that no number of failures opens. */
function withKillSwitch(config: Config, hasBreakers: boolean, target: ResolvedTarget): Target {
  if (config.resilience.breaker.enabled && hasBreakers) return target;
  const breaker = { ...target.breaker, failureThreshold: Number.POSITIVE_INFINITY };
  return { ...target, breaker };
}

function cachePolicy({ cache }: Config): RouteCachePolicy {
  const { enabled, mode, ttlSeconds, maxEntryBytes } = cache;
  const { staleIfErrorSeconds, staleWhileRevalidateSeconds } = cache;
  return {
    ...{ enabled, mode, ttlSeconds, maxEntryBytes },
    ...{ staleIfErrorSeconds, staleWhileRevalidateSeconds },
  };
}

function identityOf(config: Config, name: string): string {
  const provider = config.providers[name];
  if (provider === undefined) return '';
  const { kind, connection } = provider;
  return JSON.stringify('baseUrl' in connection ? [kind, connection.baseUrl] : [kind]);
}

function aliasListings(config: Config, nowMs: number): readonly ModelListing[] {
  return Object.values(config.models).map((model) => ({
    name: model.alias,
    createdSeconds: Math.floor(nowMs / 1000),
    ownedBy: 'esclusa',
    operations: ['chat', 'completion', 'embedding'],
  }));
}

function roleListings({ roles }: Config, nowMs: number): readonly ModelListing[] {
  return Object.entries(roles).map(([role, model]) => ({
    name: roleName(role),
    answeredBy: model,
    createdSeconds: Math.floor(nowMs / 1000),
    ownedBy: 'esclusa',
    operations: ['chat', 'completion', 'embedding'],
  }));
}

function directListings(
  config: Config,
  catalogue: Catalogue,
  nowMs: number,
): readonly ModelListing[] {
  return Object.values(config.providers).flatMap(({ name, vendor }) =>
    (vendor === null ? [] : catalogue.list(vendor, nowMs)).map((entry) => ({
      name: `${name}/${entry.model}`,
      // Nobody says since when some are there: as with aliases, since this generation.
      createdSeconds: Math.floor((entry.effectiveFromMs || nowMs) / 1000),
      ownedBy: vendor ?? name,
      operations: entry.operations,
    })),
  );
}
