/**
 * The route stage: from the name the client asked for to the route that answers it, if the
 * key may use it, with those of its targets that can answer such a request, and with the
 * prompt that stands before it.
 *
 * Explain asks the same functions and goes on where the stage throws.
 */
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Prompt, Route } from '../model/route.ts';
import type { Features } from '../ports/features.ts';
import type { PlacePrompt } from '../ports/prompts.ts';
import type { Routes } from '../ports/routes.ts';
import { armFor, withCacheFlag } from '../routing/arm.ts';
import type { Asked } from '../routing/facts.ts';
import { type Selection, selectTargets, type Unfit } from '../routing/select.ts';
import { factsOf } from './plan-call.ts';
import type { Stage } from './stage.ts';

export interface PlaceDeps {
  readonly features: Features;
  readonly placePrompt: PlacePrompt;
}

export interface RouteDeps extends PlaceDeps {
  /** Of the configuration in force. */
  readonly routes: () => Routes;
}

export function route(deps: RouteDeps): Stage {
  return {
    name: 'route',
    codes: [
      'model_not_allowed',
      'model_not_found',
      'model_unsupported_operation',
      'no_target_suits',
    ],
    wrap: (next) => (exchange) => {
      exchange.route = findRoute(deps, exchange);
      return next(exchange);
    },
  };
}

function findRoute(deps: RouteDeps, exchange: Exchange): Route {
  const routes = deps.routes();
  const found = routes.resolve(exchange.request.model);
  const forbidden = notAllowed(exchange, found);
  if (forbidden !== null) throw forbidden;
  if (found === undefined) throw notFound(exchange);
  const { placed, asked, refusal } = place(deps, routes, exchange, found);
  if (refusal !== null) throw refusal;
  exchange.request = asked.request;
  return placed;
}

/**
 * The route as it answers this request: its arm, its targets that suit, its cache; and the
 * request as they get it.
 */
export function place(
  { features, placePrompt }: PlaceDeps,
  routes: Routes,
  given: Asked,
  found: Route,
) {
  const { principal } = given;
  const arm = armFor(found, features, principal);
  const asked = arm.prompt === undefined ? given : prompted(given, arm.prompt, placePrompt);
  const selection = selectTargets(arm.targets, factsOf(asked));
  const narrowed = routes.narrow(arm, selection.targets);
  const placed = withCacheFlag(narrowed, features, principal);
  return { selection, placed, asked, refusal: refusalOf(asked, arm, selection) };
}

/** A prompt means nothing to an embedding. */
function prompted({ request, principal, headers }: Asked, { text }: Prompt, put: PlacePrompt) {
  const isTalk = request.operation === 'chat' || request.operation === 'count_tokens';
  return { request: isTalk ? put(request, text) : request, principal, headers };
}

/** A bare text has no place for a prompt, and must not be a way around it. */
function refusalOf(asked: Asked, { prompt }: Route, selection: Selection): GatewayError | null {
  const { operation } = asked.request;
  if (prompt !== undefined && operation === 'completion') return notOffered(asked);
  return selection.targets.length === 0 ? unsuited(asked, selection) : null;
}

/** Null where the key may: what is on its list, by whichever of its names it is asked for. */
export function notAllowed(asked: Asked, found: Route | undefined): GatewayError | null {
  const { model } = asked.request;
  const allowed = asked.principal?.models ?? null;
  if (allowed === null || allowed.includes(model)) return null;
  if (found !== undefined && allowed.includes(found.name)) return null;
  return new GatewayError('model_not_allowed', {
    message: `This API key may not use the model ${JSON.stringify(model)}.`,
    field: 'model',
  });
}

export function notFound({ request }: Asked): GatewayError {
  const name = JSON.stringify(request.model);
  return new GatewayError('model_not_found', {
    message: `No model or alias is called ${name}. GET /v1/models lists them.`,
    field: 'model',
  });
}

/** Conditions are the operator's: they are not told to who asks for an answer. */
function unsuited(asked: Asked, { unfit }: Selection): GatewayError {
  const name = JSON.stringify(asked.request.model);
  if (unfit.every(({ reason }) => reason === 'operation')) return notOffered(asked);
  const reasons = [...new Set(unfit.map(shown))].join('; ');
  return new GatewayError('no_target_suits', {
    message: `No target of the model ${name} takes this request: ${reasons}.`,
    field: 'model',
  });
}

function notOffered({ request }: Asked): GatewayError {
  return new GatewayError('model_unsupported_operation', {
    message: `The model ${JSON.stringify(request.model)} does not offer ${request.operation}.`,
    field: 'model',
  });
}

function shown({ target, reason, detail }: Unfit): string {
  if (reason === 'capability') return `${target.id} cannot do ${detail}`;
  if (reason === 'operation') return `${target.id} does not offer the operation`;
  return 'conditions of the configuration do not hold';
}
