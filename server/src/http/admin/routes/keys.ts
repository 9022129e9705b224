/**
 * `/api/v1/keys`: make, list, read, change and revoke API keys.
 */
import {
  errorSchema,
  type KeyRotate,
  type KeyUpdate,
  keyCreatedSchema,
  keyCreateSchema,
  keyListQuerySchema,
  keyListSchema,
  keyRotateSchema,
  keySchema,
  keyUpdateSchema,
} from '@esclusa/contracts';
import type { KeyChange } from '../../../identity/index.ts';
import { budgetFromWire, keyToWire, limitsFromWire } from '../../shapes/index.ts';
import { callerOf, notFound } from '../access.ts';
import { audited } from '../audit.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import { type IdParams, isPlausibleId } from '../ids.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['keys'];
const MS_PER_SECOND = 1000;

export function keyRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  collectionRoutes(app, services, cursors);
  readRoute(app, services);
  writeRoutes(app, services);
}

function collectionRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  const { keys, clock } = services;

  app.post(
    '/api/v1/keys',
    {
      config: { access: 'keys.write', audit: 'keys.create' },
      schema: {
        tags,
        summary: 'Create an API key; its secret is in this answer and nowhere else',
        body: keyCreateSchema,
        response: { 201: keyCreatedSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { name, tenant, role, ...rest } = request.body;
      const wanted = { name, tenant, role, ...changeOf(rest) };
      const { record, secret } = await keys.create(callerOf(request), wanted);
      audited(request, record);
      reply.code(201).header('location', `/api/v1/keys/${record.id}`);
      return { ...keyToWire(record, clock.wallMs()), key: secret };
    },
  );

  app.get(
    '/api/v1/keys',
    {
      config: { access: 'keys.read' },
      schema: {
        tags,
        summary: 'List API keys, newest first',
        querystring: keyListQuerySchema,
        response: { 200: keyListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, tenant } = request.query;
      const caller = callerOf(request);
      const scope = ['keys', caller.tenant, tenant ?? null];
      const beforeId = cursors.read(scope, cursor);
      const rows = await keys.list(caller, { tenant, limit: limit + 1, beforeId });
      const nowMs = clock.wallMs();
      return pageOf(
        rows,
        limit,
        (row) => keyToWire(row, nowMs),
        (last) => cursors.sign(scope, last.id),
      );
    },
  );
}

function readRoute(app: AdminApp, { keys, clock }: AdminServices): void {
  app.get<IdParams>(
    '/api/v1/keys/:id',
    {
      config: { access: 'keys.read' },
      schema: {
        tags,
        summary: 'Read an API key',
        response: { 200: keySchema, default: errorSchema },
      },
    },
    async (request) => {
      const record = await keys.get(callerOf(request), requireId(request.params.id));
      return keyToWire(record, clock.wallMs());
    },
  );
}

function writeRoutes(app: AdminApp, { keys, clock }: AdminServices): void {
  app.patch<IdParams & { Body: KeyUpdate }>(
    '/api/v1/keys/:id',
    {
      config: { access: 'keys.write', audit: 'keys.update' },
      schema: {
        tags,
        summary: 'Change an API key; what is left out stays',
        body: keyUpdateSchema,
        response: { 200: keySchema, default: errorSchema },
      },
    },
    async (request) => {
      const { name, ...rest } = request.body;
      const change = { name, ...changeOf(rest) };
      const record = await keys.update(callerOf(request), requireId(request.params.id), change);
      audited(request, record);
      return keyToWire(record, clock.wallMs());
    },
  );

  app.post<IdParams & { Body: KeyRotate }>(
    '/api/v1/keys/:id/rotate',
    {
      config: { access: 'keys.write', audit: 'keys.rotate' },
      schema: {
        tags,
        summary: 'Give an API key a new secret; the old one stays good for a while',
        body: keyRotateSchema,
        response: { 200: keyCreatedSchema, default: errorSchema },
      },
    },
    async (request) => {
      const id = requireId(request.params.id);
      const overlapMs = request.body.overlap_seconds * MS_PER_SECOND;
      const { record, secret } = await keys.rotate(callerOf(request), id, overlapMs);
      audited(request, record);
      return { ...keyToWire(record, clock.wallMs()), key: secret };
    },
  );

  app.delete<IdParams>(
    '/api/v1/keys/:id',
    {
      config: { access: 'keys.write', audit: 'keys.revoke' },
      schema: {
        tags,
        summary: 'Revoke an API key; it stays in the list',
        response: { 200: keySchema, default: errorSchema },
      },
    },
    async (request) => {
      const record = await keys.revoke(callerOf(request), requireId(request.params.id));
      audited(request, record);
      return keyToWire(record, clock.wallMs());
    },
  );
}

function changeOf(body: Omit<KeyUpdate, 'name'>): Omit<KeyChange, 'name'> {
  const { models, limits, budget, expires_at, scopes, addresses, cache } = body;
  return {
    ...{ models, scopes, addresses, cacheUse: cache },
    limits: limits === undefined ? undefined : limitsFromWire(limits),
    budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
    expiresAtMs:
      expires_at === undefined || expires_at === null ? expires_at : Date.parse(expires_at),
  };
}

function requireId(id: string): string {
  if (isPlausibleId(id)) return id;
  throw notFound('key');
}
