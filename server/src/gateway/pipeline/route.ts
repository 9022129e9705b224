/**
 * The route stage: from the name the client asked for to the route that answers it, if the
 * key may use it, with those of its targets that can answer such a request.
 *
 * Explain asks the same functions and goes on where the stage throws.
 */
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import type { Features } from '../ports/features.ts';
import type { Routes } from '../ports/routes.ts';
import { armFor, withCacheFlag } from '../routing/arm.ts';
import type { Asked } from '../routing/facts.ts';
import { type Selection, selectTargets, type Unfit } from '../routing/select.ts';
import { factsOf } from './plan-call.ts';
import type { Stage } from './stage.ts';

export function route(routes: () => Routes, features: Features): Stage {
  return {
    name: 'route',
    codes: [
      'model_not_allowed',
      'model_not_found',
      'model_unsupported_operation',
      'no_target_suits',
    ],
    wrap: (next) => (exchange) => {
      exchange.route = findRoute(routes(), features, exchange);
      return next(exchange);
    },
  };
}

function findRoute(routes: Routes, features: Features, exchange: Exchange): Route {
  const found = routes.resolve(exchange.request.model);
  const refusal = notAllowed(exchange, found);
  if (refusal !== null) throw refusal;
  if (found === undefined) throw notFound(exchange);
  const { selection, placed } = place(routes, features, exchange, found);
  if (selection.targets.length === 0) throw unsuited(exchange, selection);
  return placed;
}

/** The route as it answers this request: its arm, its targets that suit, its cache. */
export function place(routes: Routes, features: Features, asked: Asked, found: Route) {
  const { principal } = asked;
  const arm = armFor(found, features, principal);
  const selection = selectTargets(arm.targets, factsOf(asked));
  const narrowed = routes.narrow(arm, selection.targets);
  return { selection, placed: withCacheFlag(narrowed, features, principal) };
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
export function unsuited({ request }: Asked, { unfit }: Selection): GatewayError {
  const name = JSON.stringify(request.model);
  if (unfit.every(({ reason }) => reason === 'operation')) {
    return new GatewayError('model_unsupported_operation', {
      message: `The model ${name} does not offer ${request.operation}.`,
      field: 'model',
    });
  }
  const reasons = [...new Set(unfit.map(shown))].join('; ');
  return new GatewayError('no_target_suits', {
    message: `No target of the model ${name} takes this request: ${reasons}.`,
    field: 'model',
  });
}

function shown({ target, reason, detail }: Unfit): string {
  if (reason === 'capability') return `${target.id} cannot do ${detail}`;
  if (reason === 'operation') return `${target.id} does not offer the operation`;
  return 'conditions of the configuration do not hold';
}
