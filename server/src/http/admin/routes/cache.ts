/**
 * The cache: forget a tenant's entries, read its figures and its health.
 */
import {
  cacheHealthSchema,
  cachePurgeSchema,
  cacheStatsSchema,
  errorSchema,
  tenantQuerySchema,
} from '@esclusa/contracts';
import { confineTenant } from '../../../identity/index.ts';
import { timestamp } from '../../shapes/index.ts';
import { callerOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['cache'];

export function cacheRoutes(app: AdminApp, services: AdminServices): void {
  const { cache, clock } = services;

  app.delete(
    '/api/v1/cache',
    {
      config: { access: 'cache.purge', audit: 'cache.purge' },
      schema: {
        tags,
        summary: 'Forget every cached answer of the caller’s tenant, or of the one named',
        querystring: tenantQuerySchema,
        response: { 200: cachePurgeSchema, default: errorSchema },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const tenant = confineTenant(caller, 'cache.purge', request.query.tenant) ?? caller.tenant;
      return { tenant, purged: await cache.purge(tenant) };
    },
  );

  app.get(
    '/cache/stats',
    {
      config: { access: 'metrics.read' },
      schema: {
        tags,
        summary: 'Read hits, misses and size of the cache',
        response: { 200: cacheStatsSchema, default: errorSchema },
      },
    },
    async () => ({ cache: await cache.stats(), timestamp: timestamp(clock.wallMs()) }),
  );

  app.get(
    '/cache/health',
    {
      config: { access: 'health.details' },
      schema: {
        tags,
        summary: 'Read whether the cache works; a cache that is off or down is no failure',
        response: { 200: cacheHealthSchema, default: errorSchema },
      },
    },
    async () => ({ ...(await cache.health()), timestamp: timestamp(clock.wallMs()) }),
  );
}
