/**
 * One log line per request of the control plane, and its meters. A refused one is a security
 * event with who, from where and what. It names the route, never the address: that may hold
 * what should not be in a log.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { UNMATCHED } from '../refusal.ts';
import type { AdminServices } from './services.ts';

const REFUSED = new Set([401, 403]);
const CREDENTIALS = 'credentials_';

export function logRequests(app: FastifyInstance, services: AdminServices): void {
  const { log, meter, originOf } = services;
  app.decorateRequest('errorCode', null);
  app.addHook('onResponse', async (request, reply) => {
    meter(request.method, templateOf(request), reply.statusCode, reply.elapsedTime);
    const fields = {
      request_id: request.id,
      correlation_id: request.correlationId,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
      error_code: request.errorCode,
      key_id: request.principal?.keyId ?? null,
      tenant: request.principal?.tenant ?? null,
    };
    const isRefused = REFUSED.has(reply.statusCode) || request.errorCode === 'sign_in_throttled';
    if (isRefused || request.errorCode?.startsWith(CREDENTIALS) === true) {
      const address = originOf(request.raw).address();
      log.warn('access refused', { ...fields, event: 'security', address });
    } else {
      log.info('control-plane request', fields);
    }
  });
}

/** As the reference writes it: `/api/v1/keys/{id}`. */
function templateOf({ routeOptions: { url } }: FastifyRequest): string {
  return url?.replaceAll(/:(\w+)/g, '{$1}') ?? UNMATCHED;
}
