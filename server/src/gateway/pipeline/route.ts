/**
 * The route stage: from the name the client asked for to the route that answers it, if the
 * key may use it and its targets offer the operation.
 */
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import type { Routes } from '../ports/routes.ts';
import type { Stage } from './stage.ts';

export function route(routes: () => Routes): Stage {
  return {
    name: 'route',
    codes: ['model_not_allowed', 'model_not_found', 'model_unsupported_operation'],
    wrap: (next) => (exchange) => {
      exchange.route = findRoute(routes(), exchange);
      return next(exchange);
    },
  };
}

function findRoute(routes: Routes, exchange: Exchange): Route {
  const { model, operation } = exchange.request;
  const allowed = exchange.principal?.models ?? null;
  if (allowed !== null && !allowed.includes(model)) {
    throw new GatewayError('model_not_allowed', {
      message: `This API key may not use the model ${JSON.stringify(model)}.`,
      field: 'model',
    });
  }
  const found = routes.resolve(model);
  if (found === undefined) {
    throw new GatewayError('model_not_found', {
      message: `No model or alias is called ${JSON.stringify(model)}. GET /v1/models lists them.`,
      field: 'model',
    });
  }
  const needed = operation === 'count_tokens' ? 'chat' : operation;
  const targets = found.targets.filter((target) => target.operations.includes(needed));
  if (targets.length === 0) {
    throw new GatewayError('model_unsupported_operation', {
      message: `The model ${JSON.stringify(model)} does not offer ${operation}.`,
      field: 'model',
    });
  }
  return targets.length === found.targets.length ? found : { ...found, targets };
}
