/**
 * `/api/v1/tenants`: make and list tenants.
 */
import {
  errorSchema,
  tenantCreateSchema,
  tenantListQuerySchema,
  tenantListSchema,
  tenantSchema,
} from '@esclusa/contracts';
import { tenantToWire } from '../../shapes/index.ts';
import { callerOf } from '../access.ts';
import { audited } from '../audit.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['tenants'];
const scope = ['tenants'];

export function tenantRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  const { tenants } = services;

  app.post(
    '/api/v1/tenants',
    {
      config: { access: 'tenants.write', audit: 'tenants.create' },
      schema: {
        tags,
        summary: 'Create a tenant',
        body: tenantCreateSchema,
        response: { 201: tenantSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const record = await tenants.create(callerOf(request), request.body);
      audited(request, { id: record.id, tenant: record.slug });
      reply.code(201);
      return tenantToWire(record);
    },
  );

  app.get(
    '/api/v1/tenants',
    {
      config: { access: 'tenants.read' },
      schema: {
        tags,
        summary: 'List tenants, in the order of their slugs',
        querystring: tenantListQuerySchema,
        response: { 200: tenantListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const afterSlug = cursors.read(scope, cursor);
      const rows = await tenants.list(callerOf(request), { limit: limit + 1, afterSlug });
      return pageOf(rows, limit, tenantToWire, (last) => cursors.sign(scope, last.slug));
    },
  );
}
