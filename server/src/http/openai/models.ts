/**
 * `GET /v1/models` and `GET /v1/models/{id}`: what the caller's key may ask for, in OpenAI's
 * shape. An id may contain slashes (`provider/model`).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  asGatewayError,
  GatewayError,
  type ModelListing,
  type Principal,
  type Routes,
} from '../../gateway/index.ts';
import { callerOf } from '../admin/access.ts';
import { retryHeaders } from '../answer-headers.ts';
import { openaiWriter } from './writer.ts';

/** Registers both routes; `routes` answers for the configuration in force. */
export function openaiModels(routes: () => Pick<Routes, 'list'>): (app: FastifyInstance) => void {
  const options = { config: { access: 'models.read' as const }, errorHandler: sendError };
  return (app) => {
    app.get('/v1/models', options, async (request) => ({
      object: 'list',
      data: listings(routes(), callerOf(request)).map(modelOf),
    }));
    app.get('/v1/models/*', options, async (request) => {
      const { '*': id } = request.params as { readonly '*': string };
      const found = listings(routes(), callerOf(request)).find((listing) => listing.name === id);
      if (found !== undefined) return modelOf(found);
      throw new GatewayError('model_not_found', {
        message: `No model or alias that this key may use is called ${JSON.stringify(id)}.`,
        field: 'model',
      });
    });
  };
}

function listings(routes: Pick<Routes, 'list'>, principal: Principal): readonly ModelListing[] {
  const { models } = principal;
  const all = routes.list();
  return models === null ? all : all.filter((listing) => models.includes(listing.name));
}

function modelOf(listing: ModelListing) {
  return {
    id: listing.name,
    object: 'model',
    created: listing.createdSeconds,
    owned_by: listing.ownedBy,
  };
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = asGatewayError(thrown);
  const headers = retryHeaders(error);
  for (let at = 0; at < headers.length; at += 2) {
    reply.header(headers[at] as string, headers[at + 1]);
  }
  const body = openaiWriter.error(error, request.id);
  reply.code(error.status).header('content-type', 'application/json').send(body);
}
