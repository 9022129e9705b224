/**
 * `/api/v1/tenants`: make, list, read, change, suspend and resume tenants, and move their data.
 */
import { Readable } from 'node:stream';
import {
  databaseReportSchema,
  databaseTestSchema,
  errorSchema,
  tenantCreateSchema,
  tenantEraseQuerySchema,
  tenantListQuerySchema,
  tenantListSchema,
  tenantMoveSchema,
  tenantPathSchema,
  tenantSchema,
  tenantUpdateSchema,
} from '@esclusa/contracts';
import { z } from 'zod';
import { allowanceFromWire } from '../../shapes/index.ts';
import { tenantToWire, testToWire } from '../../shapes/tenants.ts';
import { callerOf } from '../access.ts';
import { audited } from '../audit.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['tenants'];
const scope = ['tenants'];

export function tenantRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  collectionRoutes(app, services, cursors);
  itemRoutes(app, services);
  standingRoutes(app, services);
  placeRoutes(app, services);
  removalRoutes(app, services);
}

function collectionRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
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
      const record = await tenants.create(callerOf(request), {
        ...request.body,
        ...allowanceFromWire(request.body),
      });
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

function itemRoutes(app: AdminApp, { tenants }: AdminServices): void {
  app.get(
    '/api/v1/tenants/:slug',
    {
      config: { access: 'tenants.read' },
      schema: {
        tags,
        summary: 'Read a tenant',
        params: tenantPathSchema,
        response: { 200: tenantSchema, default: errorSchema },
      },
    },
    async (request) => tenantToWire(await tenants.get(callerOf(request), request.params.slug)),
  );

  app.patch(
    '/api/v1/tenants/:slug',
    {
      config: { access: 'tenants.write', audit: 'tenants.update' },
      schema: {
        tags,
        summary: 'Change a tenant; limits and budgets hold within two seconds everywhere',
        params: tenantPathSchema,
        body: tenantUpdateSchema,
        response: { 200: tenantSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { slug } = request.params;
      const record = await tenants.update(callerOf(request), slug, {
        ...request.body,
        ...allowanceFromWire(request.body),
      });
      audited(request, { id: record.id, tenant: slug });
      return tenantToWire(record);
    },
  );
}

function standingRoutes(app: AdminApp, { tenants }: AdminServices): void {
  const verbs = [
    ['suspend', 'Refuse a tenant’s keys and tokens within two seconds, and end what it runs'],
    ['resume', 'Let a suspended tenant’s keys and tokens in again'],
  ] as const;
  for (const [verb, summary] of verbs) {
    app.post(
      `/api/v1/tenants/:slug/${verb}`,
      {
        config: { access: 'tenants.write', audit: `tenants.${verb}` },
        schema: {
          tags,
          summary,
          params: tenantPathSchema,
          response: { 200: tenantSchema, default: errorSchema },
        },
      },
      async (request) => {
        const { slug } = request.params;
        const record = await tenants[verb](callerOf(request), slug);
        audited(request, { id: record.id, tenant: slug });
        return tenantToWire(record);
      },
    );
  }
}

function placeRoutes(app: AdminApp, { places }: AdminServices): void {
  app.post(
    '/api/v1/tenants/:slug/database/test',
    {
      config: { access: 'tenants.write', audit: 'tenants.test_database' },
      schema: {
        tags,
        summary: 'Try the database in the body, or the tenant’s own, without changing anything',
        params: tenantPathSchema,
        body: databaseTestSchema.optional(),
        response: { 200: databaseReportSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { slug } = request.params;
      return testToWire(() => places.test(callerOf(request), slug, request.body ?? null));
    },
  );

  app.post(
    '/api/v1/tenants/:slug/move',
    {
      config: { access: 'tenants.write', audit: 'tenants.move' },
      schema: {
        tags,
        summary: 'Begin to move a tenant’s own data; its `job` tells how far it is',
        params: tenantPathSchema,
        body: tenantMoveSchema,
        response: { 202: tenantSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { slug } = request.params;
      const record = await places.move(callerOf(request), slug, request.body.to);
      audited(request, { id: record.id, tenant: slug });
      reply.code(202);
      return tenantToWire(record);
    },
  );
}

function removalRoutes(app: AdminApp, { removal }: AdminServices): void {
  app.post(
    '/api/v1/tenants/:slug/export',
    {
      config: { access: 'tenants.export', audit: 'tenants.export' },
      schema: {
        tags,
        summary: 'Everything that is kept of a tenant, a line of JSON each; the last counts them',
        params: tenantPathSchema,
        response: { 200: z.string(), default: errorSchema },
      },
    },
    async (request, reply) => {
      const { slug } = request.params;
      const lines = await removal.export(callerOf(request), slug);
      audited(request, { id: slug, tenant: slug });
      return reply
        .header('content-type', 'application/x-ndjson')
        .serializer((body: string) => body)
        .send(Readable.from(lines) as unknown as string);
    },
  );

  app.delete(
    '/api/v1/tenants/:slug',
    {
      config: { access: 'tenants.write', audit: 'tenants.erase' },
      schema: {
        tags,
        summary: 'Begin to erase a tenant, for good; its `job` tells how far it is',
        params: tenantPathSchema,
        querystring: tenantEraseQuerySchema,
        response: { 202: tenantSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { slug } = request.params;
      const record = await removal.erase(callerOf(request), slug, request.query.ledger);
      audited(request, { id: record.id, tenant: slug });
      reply.code(202);
      return tenantToWire(record);
    },
  );
}
