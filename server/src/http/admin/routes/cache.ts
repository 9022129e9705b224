/**
 * The cache: forget a tenant's entries, read its figures and its health.
 */
import {
  cacheHealthSchema,
  cachePurgeQuerySchema,
  cachePurgeSchema,
  cacheResetSchema,
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
  forgettingRoutes(app, services);
  readingRoutes(app, services);
}

function forgettingRoutes(app: AdminApp, { cache }: AdminServices): void {
  app.delete(
    '/api/v1/cache',
    {
      config: { access: 'cache.purge', audit: 'cache.purge' },
      schema: {
        tags,
        summary: 'Forget cached answers of a tenant: all, or those of a model, key or pattern',
        querystring: cachePurgeQuerySchema,
        response: { 200: cachePurgeSchema, default: errorSchema },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenant: asked, entry: key, model, pattern } = request.query;
      const selection = { key, model, pattern };
      const tenant = confineTenant(caller, 'cache.purge', asked) ?? caller.tenant;
      const isAll = Object.values(selection).every((condition) => condition === undefined);
      const purged = isAll ? cache.purge(tenant) : cache.remove(tenant, selection);
      return { tenant, purged: await purged };
    },
  );

  app.delete(
    '/api/v1/cache/stats',
    {
      config: { access: 'cache.purge', audit: 'cache.reset_stats' },
      schema: {
        tags,
        summary: 'Begin counting anew; what is cached stays',
        querystring: tenantQuerySchema,
        response: { 200: cacheResetSchema, default: errorSchema },
      },
    },
    async (request) => {
      const tenant = confineTenant(callerOf(request), 'cache.purge', request.query.tenant);
      await cache.resetStats(tenant);
      return { tenant, reset: true as const };
    },
  );
}

function readingRoutes(app: AdminApp, { cache, clock }: AdminServices): void {
  app.get(
    '/cache/stats',
    {
      config: { access: 'metrics.read' },
      schema: {
        tags,
        summary: 'Read hits, misses and size of the cache, of one tenant or of all',
        querystring: tenantQuerySchema,
        response: { 200: cacheStatsSchema, default: errorSchema },
      },
    },
    async (request) => {
      const tenant = confineTenant(callerOf(request), 'metrics.read', request.query.tenant);
      return { cache: await cache.stats(tenant), timestamp: timestamp(clock.wallMs()) };
    },
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
    async () => {
      const health = await cache.health();
      const { status, latency_ms, circuit_breaker_state, connection_pool } = health;
      return {
        ...health,
        cache_health: { status, latency_ms, circuit_breaker_state, connection_pool },
        timestamp: timestamp(clock.wallMs()),
      };
    },
  );
}
