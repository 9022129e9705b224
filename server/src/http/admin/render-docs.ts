/**
 * Renders the reference: a hidden instance knows every route's schema and no handler, answers
 * each document once, and is gone again.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import swagger from '@fastify/swagger';
import reference from '@scalar/fastify-api-reference';
import fastify, { type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod';
import type { DocumentedRoute, StoredDocument } from './document.ts';

const DESCRIPTION =
  'One gateway in front of every language model an organisation uses. Inference endpoints speak ' +
  'the dialects of the vendors’ SDKs; everything below `/api/v1` is the control plane. Send ' +
  'the API key as `Authorization: Bearer <key>`.';
const SCRIPT_CACHE = 'public, max-age=86400';
const compress = promisify(gzip);

export async function renderDocuments(
  described: readonly DocumentedRoute[],
  paths: readonly string[],
): Promise<ReadonlyMap<string, StoredDocument>> {
  const app = await build(described);
  try {
    const documents = new Map<string, StoredDocument>();
    for (const url of paths) {
      const answer = await app.inject({ method: 'GET', url }).then((each) => each);
      documents.set(url, {
        status: answer.statusCode,
        headers: headersOf(answer.headers, answer.rawPayload),
        body: await compress(answer.rawPayload),
      });
    }
    return documents;
  } finally {
    await app.close();
  }
}

async function build(described: readonly DocumentedRoute[]): Promise<FastifyInstance> {
  const app = fastify({ logger: false });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, {
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
  await app.register(reference, {
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

function headersOf(
  headers: Readonly<Record<string, unknown>>,
  body: Buffer,
): Readonly<Record<string, string>> {
  const type = String(headers['content-type'] ?? 'text/plain; charset=utf-8');
  return {
    'content-type': type,
    ...(typeof headers.location === 'string' && { location: headers.location }),
    ...(type.startsWith('text/html') && {
      'content-security-policy': pagePolicy(body.toString()),
    }),
    ...(type.includes('javascript') && { 'cache-control': SCRIPT_CACHE }),
  };
}

/** Own scripts only, and the page's own start-up lines, named by their hash. */
function pagePolicy(html: string): string {
  const inline = [...html.matchAll(/<script[^>]*>([^<]+)<\/script>/g)].map(([, code = '']) => {
    const hash = createHash('sha256').update(code).digest('base64');
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
