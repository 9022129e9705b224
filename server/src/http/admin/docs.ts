/**
 * The reference of the interface: `/openapi.json` (OpenAPI 3.1) and the page `/docs`.
 *
 * Made at the first request for any of it and not at the start, then kept compressed: the
 * page's script is megabytes, and sending it must not hold up the event loop.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DocumentedRoute, StoredDocument } from './document.ts';
import type { AdminApp } from './instance.ts';

const DOCS_PATHS = ['/openapi.json', '/docs', '/docs/', '/docs/js/scalar.js'] as const;
const decompress = promisify(gunzip);

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
  let rendered: Promise<ReadonlyMap<string, StoredDocument>> | null = null;

  async function render(): Promise<ReadonlyMap<string, StoredDocument>> {
    try {
      const { renderDocuments } = await import('./render-docs.ts');
      return await renderDocuments(described, DOCS_PATHS);
    } catch (error) {
      rendered = null; // the next request tries again
      throw error;
    }
  }

  for (const url of DOCS_PATHS) {
    const options = { config: { access: 'public' as const }, schema: { hide: true } };
    app.get(url, options, async (request, reply) => {
      rendered ??= render();
      const document = (await rendered).get(url);
      return document === undefined ? reply.callNotFound() : send(request, reply, document);
    });
  }
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body }: StoredDocument,
): Promise<FastifyReply> {
  reply.code(status).headers(headers).header('vary', 'accept-encoding');
  if (!String(request.headers['accept-encoding'] ?? '').includes('gzip')) {
    return reply.send(await decompress(body));
  }
  return reply.header('content-encoding', 'gzip').send(body);
}
