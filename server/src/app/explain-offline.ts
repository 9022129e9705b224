/**
 * Explaining a request on the configuration alone, where no server is asked: the routes of the
 * file and the code that routes requests, over targets that are all well, idle and never called.
 * The data is opened only where the request is to be a key's.
 */
import { type RouteExplanation, routeExplainSchema } from '@esclusa/contracts';
import { NO_CACHE_CONTROL, type Principal } from '../gateway/index.ts';
import { AVAILABLE } from '../gateway/model/availability.ts';
import { createExplain } from '../gateway/pipeline/explain.ts';
import { explainRequest, placePrompt } from '../http/index.ts';
import { operator } from '../identity/index.ts';
import type { JsonObject } from '../kernel/json.ts';
import { defaultOf } from '../operations/index.ts';
import { checked } from './checked.ts';
import type { Installation } from './installation.ts';
import { buildRoutes } from './routes.ts';

export type { RouteExplanation } from '@esclusa/contracts';

/** `headers`: names and values in turn. Throws `invalid_request`, and `not_found` for a key. */
export async function explainOffline(
  installation: Installation,
  request: unknown,
  headers: readonly string[],
): Promise<RouteExplanation> {
  const { tenant, key_id, ...body } = checked(routeExplainSchema, request);
  const { loaded, catalogue } = await installation.configuration();
  const nowMs = installation.clock.wallMs();
  const routes = buildRoutes({ config: loaded.config, number: 0 }, catalogue, nowMs);
  const explain = createExplain({
    routes: () => routes,
    random: installation.random,
    policies: { availability: () => AVAILABLE },
    bulkheads: { running: () => 0 },
    latency: { expectedMs: () => null, waiting: () => 0 },
    keys: null,
    // What is stored is the business of a server: here flags are what they are by default.
    features: { isOn: (name) => defaultOf(name).enabled },
    placePrompt,
  });
  const principal: Principal =
    key_id === undefined
      ? { ...operator, tenant: tenant ?? operator.tenant }
      : await installation.use((workspace) => workspace.principalOf(key_id, tenant));
  const asker = { principal, headers, cacheControl: NO_CACHE_CONTROL, live: false };
  return explainRequest(explain, body as JsonObject, asker);
}
