/**
 * Who may call a route: each states it in `config.access`, and one that does not stops the
 * start. The check runs before the body is read, on the very route that will handle the
 * request, so that both see the same path.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError, type Principal, principalOf } from '../../gateway/index.ts';
import { type Permission, reachOf, requirePermission } from '../../identity/index.ts';
import { assert } from '../../kernel/assert.ts';
import { readCredential } from '../credentials.ts';
import { slashed } from './not-found.ts';
import type { AdminServices } from './services.ts';

const USER_AGENT_LENGTH_MAX = 500;

/** `token`: whoever holds a token of ours, also of a session that is over. */
export type Access = Permission | 'public' | 'token';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A permission, `public`, or `token`. */
    access?: Access;
  }
  interface FastifyRequest {
    principal: Principal | null;
  }
}

/** Puts the guard before every route of the instance. Register it before any route. */
export function guardRoutes(app: FastifyInstance, services: AdminServices): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.access !== undefined) return;
    throw new Error(`the route ${route.method} ${route.url} does not state who may call it`);
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const nothing = nothingNamed(request);
    if (nothing !== null) throw nothing;
    const { access } = request.routeOptions.config;
    if (access === 'public') return;
    assert(access !== undefined, 'a route without stated access was registered');
    const credential = readCredential(request.raw, services.originOf(request.raw));
    if (access === 'token') {
      request.principal = await services.signIn.holderOf(credential);
      return;
    }
    request.principal = await principalOf(services.authenticator, credential);
    requirePermission(request.principal, access);
  });
}

/** A member of the path that is empty names nothing, whoever calls. */
function nothingNamed(request: FastifyRequest): GatewayError | null {
  const names = Object.values((request.params ?? {}) as Readonly<Record<string, string>>);
  return names.includes('') ? slashed(request.url.split('?', 1)[0] ?? '') : null;
}

/** The principal of a route that is not public. */
export function callerOf(request: FastifyRequest): Principal {
  assert(request.principal !== null, 'a public route has no caller');
  return request.principal;
}

/**
 * For a public route that tells more to who may know more. A credential that was sent and is
 * not good is refused, as everywhere.
 */
export async function mayAlso(
  services: AdminServices,
  request: FastifyRequest,
  permission: Permission,
): Promise<boolean> {
  const credential = readCredential(request.raw, services.originOf(request.raw));
  if (credential.kind === 'none') return false;
  return reachOf(await principalOf(services.authenticator, credential), permission) !== null;
}

/** Where a request comes from, as sign-ins and the audit log want to know it. */
export function originOf(services: Pick<AdminServices, 'originOf'>, request: FastifyRequest) {
  const { address, tenant } = services.originOf(request.raw);
  return {
    address: address(),
    tenant: tenant(),
    userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_LENGTH_MAX) ?? null,
    requestId: request.id,
  };
}

/** What is not there, or is not the caller's: both read the same. */
export function notFound(what: string): GatewayError {
  return new GatewayError('not_found', { message: `There is no ${what} with this id.` });
}
