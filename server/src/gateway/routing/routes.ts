/**
 * The routes of one generation of the configuration: aliases, then other names for a model,
 * then `provider/model` names asked for directly, then what is short for one.
 *
 * Invariants: an alias wins over every other name; the set of targets is named by the targets and
 * by what their providers are, whatever the order, so that two upstreams never share a cache;
 * routes made for direct names,
 * and with some of their targets, are remembered, a bounded number of them.
 */
import { createHash } from 'node:crypto';
import type { StickyBy } from '../model/condition.ts';
import type {
  ModelListing,
  Prompt,
  Route,
  RouteCachePolicy,
  RouteStrategy,
} from '../model/route.ts';
import type { Target } from '../model/target.ts';
import type { Routes } from '../ports/routes.ts';

export interface AliasRoute {
  readonly name: string;
  readonly strategy: RouteStrategy;
  readonly sticky?: StickyBy;
  /** In the order of the configuration. */
  readonly targets: readonly Target[];
  readonly cache: RouteCachePolicy;
  readonly prompt?: Prompt;
  readonly experiment?: {
    readonly flag: string;
    /** Another alias, or a `provider/model`; absent: the alias itself, with another prompt. */
    readonly candidate?: string;
    /** In place of the candidate's own. */
    readonly prompt?: Prompt;
  };
}

export interface RouteTable {
  readonly generation: number;
  readonly aliases: readonly AliasRoute[];
  /** Names that stand for an alias or a `provider/model`: roles, and models of before. */
  readonly names: ReadonlyMap<string, string>;
  /** The target behind `provider/model`; undefined where there is none. */
  direct(provider: string, model: string): Target | undefined;
  /** The target behind a name that is no alias and names no provider; undefined likewise. */
  short(name: string): Target | undefined;
  readonly directCache: RouteCachePolicy;
  /** What makes the answers of a configured provider its own: its kind and base URL. */
  providerIdentity(provider: string): string;
  readonly listings: readonly ModelListing[];
}

/** Names come from clients, and a provider may accept any model. */
const MAX_DIRECT_ROUTES = 1024;
/** Of one route: what its conditions make of it, which requests can vary. */
const MAX_NARROWED = 256;

export function createRoutes(table: RouteTable): Routes {
  const aliases = new Map<string, Route>();
  for (const alias of table.aliases) {
    const { experiment: _later, ...rest } = alias;
    aliases.set(alias.name, { ...rest, targetSet: targetSetOf(table, alias.targets) });
  }
  const direct = new Map<string, Route>();
  const narrowed = new WeakMap<Route, Map<string, Route>>();

  function resolveDirect(name: string): Route | undefined {
    const slash = name.indexOf('/');
    const target =
      slash < 1 ? table.short(name) : table.direct(name.slice(0, slash), name.slice(slash + 1));
    if (target === undefined) return undefined;
    const targets = [target];
    const targetSet = targetSetOf(table, targets);
    const route: Route = {
      name,
      strategy: 'fallback',
      targets,
      targetSet,
      cache: table.directCache,
    };
    remember(direct, name, route, MAX_DIRECT_ROUTES);
    return route;
  }

  for (const { name, experiment } of table.aliases) {
    const own = aliases.get(name);
    if (own === undefined || experiment === undefined) continue;
    const { flag, candidate: named = name, prompt } = experiment;
    const other = aliases.get(named) ?? resolveDirect(named);
    if (other === undefined) continue;
    const control = inArm(own, `${flag}/control`);
    const tried = { ...other, name, ...(prompt !== undefined && { prompt }) };
    const candidate = inArm(tried, `${flag}/candidate`);
    aliases.set(name, { ...own, experiment: { flag, control, candidate } });
  }

  function inArm({ experiment: _none, ...route }: Route, arm: string): Route {
    return { ...route, arm, targetSet: targetSetOf(table, route.targets, arm) };
  }

  function narrow(route: Route, targets: readonly Target[]): Route {
    if (targets.length === route.targets.length) return route;
    const known = narrowed.get(route) ?? new Map<string, Route>();
    narrowed.set(route, known);
    const name = targets.map((target) => route.targets.indexOf(target)).join(' ');
    const made = known.get(name) ?? {
      ...{ ...route, targets },
      targetSet: targetSetOf(table, targets, route.arm),
    };
    if (!known.has(name)) remember(known, name, made, MAX_NARROWED);
    return made;
  }

  return {
    generation: table.generation,
    resolve(model) {
      const alias = aliases.get(model);
      if (alias !== undefined) return alias;
      const name = table.names.get(model) ?? model;
      return aliases.get(name) ?? direct.get(name) ?? resolveDirect(name);
    },
    narrow,
    list: () => table.listings,
  };
}

function remember(map: Map<string, Route>, name: string, route: Route, max: number): void {
  const [oldest] = map.keys();
  if (map.size >= max && oldest !== undefined) map.delete(oldest);
  map.set(name, route);
}

function targetSetOf(table: RouteTable, targets: readonly Target[], arm?: string): string {
  const names = targets.map((target) =>
    JSON.stringify([target.provider, target.model, table.providerIdentity(target.provider)]),
  );
  const set = [...new Set(names)].sort();
  const text = arm === undefined ? set.join('\n') : [...set, arm].join('\n');
  return createHash('sha256').update(text).digest('base64url');
}
