/**
 * What flags make of a route: which arm of its experiment answers, and whether its answers may
 * be kept. Requests and explanations ask the same.
 *
 * Invariant: the arms of an experiment have sets of targets of their own, so that no answer of
 * one is ever given out of the cache to the other.
 */
import type { Principal } from '../model/principal.ts';
import type { Route } from '../model/route.ts';
import { CACHE_FLAG, type Features } from '../ports/features.ts';

/** The route itself where it has no experiment, or nobody is known to call. */
export function armFor(route: Route, features: Features, principal: Principal | null): Route {
  const { experiment } = route;
  if (experiment === undefined || principal === null) return route;
  const isCandidate = features.isOn(experiment.flag, subjectOf(principal));
  return isCandidate ? experiment.candidate : experiment.control;
}

/** The same object where answers may be kept. */
export function withCacheFlag(
  route: Route,
  features: Features,
  principal: Principal | null,
): Route {
  if (principal === null || !route.cache.enabled) return route;
  if (features.isOn(CACHE_FLAG, subjectOf(principal))) return route;
  return { ...route, cache: { ...route.cache, enabled: false } };
}

function subjectOf({ tenant, keyId }: Principal) {
  return { tenant, user: keyId };
}
