/**
 * `GET /v1/models` and `GET /v1/models/{id}`: what the caller's key may ask for, in the shape of
 * the dialect that the request's headers speak, or that alone has lists below `/v1beta`. An id
 * may contain slashes (`provider/model`).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asGatewayError, GatewayError, type Routes } from '../gateway/index.ts';
import { callerOf } from './admin/access.ts';
import { retryHeaders } from './answer-headers.ts';
import { anthropicModels } from './anthropic/models.ts';
import { geminiModels } from './gemini/models.ts';
import { listedFor } from './listed-models.ts';
import type { ModelShape } from './model-shape.ts';
import { openaiModels } from './openai/models.ts';

/** The last one is everybody else's. */
const SHAPES: readonly [...ModelShape[], ModelShape] = [
  anthropicModels,
  geminiModels,
  openaiModels,
];

const PREFIXES = ['/v1', '/v1beta'] as const;

/** Registers the routes; `routes` answers for the configuration in force. */
export function modelRoutes(routes: () => Pick<Routes, 'list'>): (app: FastifyInstance) => void {
  const options = {
    config: { access: 'models.read' as const },
    schema: { hide: true }, // the reference describes them by hand
    errorHandler: sendError,
  };
  return (app) => {
    for (const prefix of PREFIXES) {
      app.get(`${prefix}/models`, options, async (request, reply) => {
        const shape = shapeFor(request, reply);
        const found = listedFor(callerOf(request), routes());
        return shape.list(found, request.query as Readonly<Record<string, unknown>>);
      });
      app.get(`${prefix}/models/*`, options, async (request, reply) => {
        const shape = shapeFor(request, reply);
        const { '*': id } = request.params as { readonly '*': string };
        const found = listedFor(callerOf(request), routes()).find(({ name }) => name === id);
        if (found !== undefined) return shape.one(found);
        throw new GatewayError('model_not_found', {
          message: `No model or alias that this key may use is called ${JSON.stringify(id)}.`,
          field: 'model',
        });
      });
    }
  };
}

/** The dialect of the request; its header for the request's id is set on the way. */
function shapeFor(request: FastifyRequest, reply: FastifyReply): ModelShape {
  const fallback = SHAPES[SHAPES.length - 1] as ModelShape;
  const isBeta = request.routeOptions.url?.startsWith('/v1beta/') === true;
  const asked = isBeta ? geminiModels : SHAPES.find(({ isAsked }) => isAsked(request.headers));
  const shape = asked ?? fallback;
  const { requestIdHeader } = shape.writer;
  if (requestIdHeader !== undefined) reply.header(requestIdHeader, request.id);
  return shape;
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = asGatewayError(thrown);
  const headers = retryHeaders(error);
  for (let at = 0; at < headers.length; at += 2) {
    reply.header(headers[at] as string, headers[at + 1]);
  }
  const body = shapeFor(request, reply).writer.error(error, request.id);
  reply.code(error.status).header('content-type', 'application/json').send(body);
}
