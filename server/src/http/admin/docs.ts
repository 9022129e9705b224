/**
 * The reference of the interface: `/openapi.json` (OpenAPI 3.1) and the page `/docs`.
 *
 * Both are made at the first request for them and not at the start: the page's script is
 * megabytes. A second, hidden instance knows every route's schema and no handler; requests for
 * documents are passed on to it.
 */
import { createHash } from 'node:crypto';
import type {} from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type RouteOptions } from 'fastify';
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod';
import type { AdminApp } from './instance.ts';

/** A route that another part of the program serves, described here only. */
export type DocumentedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema' | 'config'>;

const DOCS_PATHS = ['/openapi.json', '/docs', '/docs/', '/docs/js/scalar.js'];

const DESCRIPTION =
  'One gateway in front of every language model an organisation uses. Inference endpoints speak ' +
  'the dialects of the vendors’ SDKs; everything below `/api/v1` is the control plane. Send ' +
  'the API key as `Authorization: Bearer <key>`.';

/** Notes every route that is registered from now on. */
export function collectRoutes(
  app: AdminApp,
  elsewhere: readonly DocumentedRoute[],
): readonly DocumentedRoute[] {
  const described: DocumentedRoute[] = [...elsewhere];
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD' && route.schema?.hide !== true) described.push(route);
  });
  return described;
}

export function docsRoutes(app: AdminApp, described: readonly DocumentedRoute[]): void {
  let documents: Promise<FastifyInstance> | null = null;

  app.addHook('onClose', async () => {
    if (documents !== null) await (await documents).close();
  });

  for (const url of DOCS_PATHS) {
    app.get(
      url,
      { config: { access: 'public' }, schema: { hide: true } },
      async (_request, reply) => {
        documents ??= buildDocuments(described);
        const instance = await documents;
        return instance.inject({ method: 'GET', url }).then((answer) => passOn(reply, answer));
      },
    );
  }
}

async function buildDocuments(described: readonly DocumentedRoute[]): Promise<FastifyInstance> {
  const [swagger, scalar] = await Promise.all([
    import('@fastify/swagger'),
    import('@scalar/fastify-api-reference'),
  ]);
  const app = fastify({ logger: false });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger.default, {
    transform: jsonSchemaTransform,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Esclusa', description: DESCRIPTION, version: '1' },
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
      },
      security: [{ key: [] }],
    },
  });
  await app.register(scalar.default, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Esclusa',
      withDefaultFonts: false,
      hideClientButton: true,
      telemetry: false,
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  for (const { method, url, schema, config } of described) {
    const isPublic = config?.access === 'public';
    app.route({
      method,
      url,
      schema: { ...schema, ...(isPublic && { security: [] }) },
      handler: () => null,
    });
  }
  await app.ready();
  return app;
}

type Injected = Awaited<ReturnType<FastifyInstance['inject']>>;

function passOn(reply: FastifyReply, answer: Injected): FastifyReply {
  const type = String(answer.headers['content-type']);
  reply.code(answer.statusCode).header('content-type', type);
  if (answer.headers.location !== undefined) reply.header('location', answer.headers.location);
  if (type.startsWith('text/html'))
    reply.header('content-security-policy', pagePolicy(answer.body));
  return reply.serializer(String).send(answer.body);
}

/** Own scripts only, and the page's own start-up lines, named by their hash. */
function pagePolicy(html: string): string {
  const inline = [...html.matchAll(/<script[^>]*>([^<]+)<\/script>/g)].map(([, code]) => {
    const hash = createHash('sha256')
      .update(code ?? '')
      .digest('base64');
    return ` 'sha256-${hash}'`;
  });
  return [
    "default-src 'none'",
    `script-src 'self'${inline.join('')}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
