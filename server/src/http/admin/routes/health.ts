/**
 * Probes, health and metrics.
 *
 * `live` looks at nothing but this process; `ready` fails only on a critical dependency, and
 * what is missing otherwise is named with 200. Errors and messages of single checks are shown
 * to who has a credential.
 */
import {
  databaseHealthSchema,
  errorSchema,
  type Health,
  healthSchema,
  liveSchema,
  readySchema,
  type StartupResult,
  startupSchema,
} from '@esclusa/contracts';
import { z } from 'zod';
import { GatewayError } from '../../../gateway/index.ts';
import { timestamp } from '../../shapes/index.ts';
import { mayAlso } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['operations'];
const RETRY_AFTER_SECONDS = 1;

export function healthRoutes(app: AdminApp, services: AdminServices): void {
  probeRoutes(app, services);
  detailRoute(app, services);
  databaseRoute(app, services);
  metricsRoute(app, services);
}

function probeRoutes(app: AdminApp, services: AdminServices): void {
  const { health } = services;
  app.get(
    '/health/live',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Whether the process runs', response: { 200: liveSchema } },
    },
    async () => ({ status: 'alive' as const }),
  );

  app.get(
    '/health/ready',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Whether requests can be served',
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const ready = health.ready();
      return reply.code(ready.status === 'unready' ? 503 : 200).send(ready);
    },
  );

  app.get(
    '/health/startup',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Whether the start is complete, and what was checked',
        response: { 200: startupSchema, 503: startupSchema },
      },
    },
    async (request, reply) => {
      const withDetails = await mayAlso(services, request, 'health.details');
      const startup = health.startup();
      const results = withDetails ? startup.results : startup.results.map(withoutMessage);
      return reply.code(startup.status === 'starting' ? 503 : 200).send({ ...startup, results });
    },
  );
}

function detailRoute(app: AdminApp, services: AdminServices): void {
  app.get(
    '/api/v1/health',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Each dependency; details with a credential',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (request, reply) => {
      const withDetails = await mayAlso(services, request, 'health.details');
      const report = await services.health.report();
      const checks = withDetails ? report.checks : withoutDetails(report.checks);
      return reply
        .code(report.status === 'unhealthy' ? 503 : 200)
        .send({ ...report, checks, timestamp: timestamp(services.clock.wallMs()) });
    },
  );
}

/** Under both of its names; probes do not use it, because it needs a credential. */
function databaseRoute(app: AdminApp, services: AdminServices): void {
  for (const path of ['/api/v1/health/database', '/health/database'] as const) {
    app.get(
      path,
      {
        config: { access: 'health.details' },
        schema: {
          tags,
          summary: 'The database: connection, pool, tables, role',
          response: { 200: databaseHealthSchema, 503: databaseHealthSchema, default: errorSchema },
        },
      },
      async (_request, reply) => {
        const health = await services.health.database();
        const isBad = health.status === 'unhealthy';
        if (isBad) reply.code(503).header('retry-after', RETRY_AFTER_SECONDS);
        return reply.send({ ...health, timestamp: timestamp(services.clock.wallMs()) });
      },
    );
  }
}

const exposition = { content: { 'text/plain': { schema: z.string() } } };

function metricsRoute(app: AdminApp, services: AdminServices): void {
  app.get(
    '/metrics',
    {
      config: { access: 'metrics.read' },
      schema: {
        tags,
        summary: 'Figures in the Prometheus text format',
        response: { 200: exposition, default: errorSchema },
      },
    },
    async (_request, reply) => {
      const metrics = await services.metrics();
      if (metrics === null) throw new GatewayError('not_found', { message: 'Metrics not enabled' });
      return reply.header('content-type', metrics.contentType).send(metrics.text);
    },
  );
}

function withoutDetails(checks: Health['checks']): Health['checks'] {
  return Object.fromEntries(
    Object.entries(checks).map(([name, { healthy, enabled, critical }]) => [
      name,
      { healthy, enabled, critical },
    ]),
  );
}

function withoutMessage({ message: _for, ...result }: StartupResult): StartupResult {
  return result;
}
