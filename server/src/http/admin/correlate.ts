/**
 * The identifiers of a request of the control plane: on its answer, whatever comes of it, and in
 * every line that is logged on its behalf.
 *
 * What a socket says when a body arrives belongs to no request, so the scope is entered again
 * behind the body.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readCorrelationId } from '../read-head.ts';
import type { RequestIds } from '../refusal.ts';
import type { AdminServices } from './services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string;
  }
}

/** Register it before everything that may log or answer. */
export function correlate(app: FastifyInstance, { within }: Pick<AdminServices, 'within'>): void {
  app.decorateRequest('correlationId', '');
  app.addHook('onRequest', (request, reply, done) => {
    nameRequest(request, reply);
    within(idsOf(request), done);
  });
  app.addHook('preValidation', (request, _reply, done) => {
    within(idsOf(request), done);
  });
}

/** For an answer that comes before any hook. */
export function nameRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.correlationId = readCorrelationId(request.raw) ?? request.id;
  reply.header('x-request-id', request.id);
  reply.header('x-correlation-id', request.correlationId);
}

function idsOf({ id: requestId, correlationId }: FastifyRequest): RequestIds {
  return { requestId, correlationId };
}
