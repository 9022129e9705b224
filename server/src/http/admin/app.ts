/**
 * The control plane: one Fastify instance that serves every path that does not run models.
 *
 * Order of what happens to a request: guard (who calls, may they), body, validation, route,
 * one log line. Nothing here listens on a socket: the edge hands requests over.
 */
import { isUtf8 } from 'node:buffer';
import fastify from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { GatewayError } from '../../gateway/index.ts';
import { guardRoutes } from './access.ts';
import { auditRoutes } from './audit.ts';
import { correlate, nameRequest } from './correlate.ts';
import { createCursors } from './cursor.ts';
import { collectRoutes, docsRoutes } from './docs.ts';
import { createErrorHandler, sendError } from './errors.ts';
import { INFERENCE_REFERENCE } from './inference-reference.ts';
import type { AdminApp } from './instance.ts';
import { logRequests } from './log-requests.ts';
import { answerUnknownPaths } from './not-found.ts';
import { auditLogRoutes } from './routes/audit.ts';
import { authRoutes } from './routes/auth.ts';
import { breakerRoutes } from './routes/breakers.ts';
import { budgetRoutes } from './routes/budgets.ts';
import { cacheRoutes } from './routes/cache.ts';
import { configRoutes } from './routes/config.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { explainRoutes } from './routes/explain.ts';
import { flagRoutes } from './routes/flags.ts';
import { gatewayRoutes } from './routes/gateway.ts';
import { healthRoutes } from './routes/health.ts';
import { homeRoutes } from './routes/home.ts';
import { jobRoutes } from './routes/jobs.ts';
import { keyRoutes } from './routes/keys.ts';
import { requestRoutes } from './routes/requests.ts';
import { singleSignOnRoutes } from './routes/single-sign-on.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { userRoutes } from './routes/users.ts';
import type { AdminServices } from './services.ts';

const BODY_LIMIT_BYTES = 1_048_576;
const PARAM_LENGTH_MAX = 300;

/** Adds routes to the control plane; each states its access. */
export type RouteSet = (app: AdminApp) => void;

export interface AdminExtras {
  readonly routes?: readonly RouteSet[];
}

const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cache-control', 'no-store'],
];

/** Builds the control plane, ready to route; `close()` it after the edge is closed. */
export async function createAdminApp(
  services: AdminServices,
  extras: AdminExtras = {},
): Promise<AdminApp> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => services.ids.next('req'),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, caseSensitive: true },
    // Addresses that cannot be decoded never reach a route or a hook.
    frameworkErrors: (_error, request, reply) => {
      nameRequest(request, reply);
      sendError(request, reply, new GatewayError('not_found'));
    },
  }).withTypeProvider<ZodTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(createErrorHandler(services.log));
  acceptJsonOnly(app);
  correlate(app, services);
  app.addHook('onRequest', async (_request, reply) => {
    for (const [name, value] of SECURITY_HEADERS) reply.header(name, value);
  });
  logRequests(app, services);
  guardRoutes(app, services);
  auditRoutes(app, services);
  answerUnknownPaths(app);
  const described = collectRoutes(app, INFERENCE_REFERENCE);
  for (const add of extras.routes ?? []) add(app);

  const cursors = createCursors(services.cursorKey);
  homeRoutes(app);
  healthRoutes(app, services);
  authRoutes(app, services);
  singleSignOnRoutes(app, services);
  userRoutes(app, services, cursors);
  auditLogRoutes(app, services, cursors);
  keyRoutes(app, services, cursors);
  tenantRoutes(app, services, cursors);
  requestRoutes(app, services, cursors);
  gatewayRoutes(app, services);
  budgetRoutes(app, services, cursors);
  explainRoutes(app, services);
  jobRoutes(app, services, cursors);
  breakerRoutes(app, services);
  flagRoutes(app, services);
  experimentRoutes(app, services);
  cacheRoutes(app, services);
  configRoutes(app, services);
  docsRoutes(app, described);
  await app.ready();
  return app;
}

/** JSON in UTF-8 and nothing else; a `DELETE` or a `POST` without arguments may have no body. */
function acceptJsonOnly(app: AdminApp): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (bytes.length === 0) {
      done(null, undefined);
      return;
    }
    if (!isUtf8(bytes)) {
      done(new GatewayError('body_not_utf8'));
      return;
    }
    void parse(request, bytes.toString(), (error, value) => {
      if (error === null) done(null, value);
      else done(new GatewayError('body_not_json', { cause: error }));
    });
  });
}
