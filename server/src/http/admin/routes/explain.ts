/**
 * `POST /api/v1/route/explain`: who would answer a request, in which order, and why the others
 * would not. It costs nothing and changes nothing.
 */
import { errorSchema, routeExplainSchema, routeExplanationSchema } from '@esclusa/contracts';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../../gateway/index.ts';
import { confineTenant } from '../../../identity/index.ts';
import type { JsonObject } from '../../../kernel/json.ts';
import { explainRequest, principalOfKey } from '../../explain-request.ts';
import { readHead } from '../../read-head.ts';
import { callerOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

export function explainRoutes(app: AdminApp, services: AdminServices): void {
  app.post(
    '/api/v1/route/explain',
    {
      config: { access: 'routes.explain' },
      schema: {
        tags: ['gateway'],
        summary: 'Explain where a request would go, without sending it',
        description:
          'The body is a request in OpenAI’s shape; `model` alone will do. `tenant` and `key_id` ' +
          'say for whom it is asked. Conditions on headers look at those of this request.',
        body: routeExplainSchema,
        response: { 200: routeExplanationSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { tenant, key_id, ...body } = request.body;
      const principal = await askerOf(services, request, tenant, key_id);
      return explainRequest(services.explain, body as JsonObject, {
        principal,
        headers: request.raw.rawHeaders,
        cacheControl: readHead(request.raw).cacheControl,
        live: true,
      });
    },
  );
}

async function askerOf(
  { keys }: AdminServices,
  request: FastifyRequest,
  tenant: string | undefined,
  keyId: string | undefined,
): Promise<Principal> {
  const caller = callerOf(request);
  const confined = confineTenant(caller, 'routes.explain', tenant);
  if (keyId !== undefined) return principalOfKey(keys, caller, keyId, tenant);
  return { ...caller, tenant: confined ?? caller.tenant };
}
