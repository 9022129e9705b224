/**
 * Paths that nothing serves: 404, or 405 with `Allow` where the path exists for another
 * method. Decided on the routes that were registered, without asking who calls.
 */
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../../gateway/index.ts';
import { sendError } from './errors.ts';

/** Register it before any route. */
export function answerUnknownPaths(app: FastifyInstance): void {
  const methodsByPath = new Map<
    string,
    { readonly pattern: RegExp; readonly methods: Set<string> }
  >();

  app.addHook('onRoute', (route) => {
    const known = methodsByPath.get(route.url) ?? {
      pattern: patternOf(route.url),
      methods: new Set<string>(),
    };
    for (const method of [route.method].flat()) known.methods.add(method);
    methodsByPath.set(route.url, known);
  });

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = new Set<string>();
    for (const { pattern, methods } of methodsByPath.values()) {
      if (!pattern.test(path)) continue;
      for (const method of methods) allowed.add(method);
    }
    if (allowed.size === 0) {
      sendError(request, reply, slashed(path) ?? new GatewayError('not_found'));
      return;
    }
    const list = [...allowed].sort().join(', ');
    reply.header('allow', list);
    const message = `This path takes ${list}.`;
    sendError(request, reply, new GatewayError('method_not_allowed', { message }));
  });
}

/** Of a path that would be another without its last slash; null: it has none. */
export function slashed(path: string): GatewayError | null {
  if (path.length < 2 || !path.endsWith('/')) return null;
  const message = 'Nothing is served at a path that ends with a slash. Leave the slash out.';
  return new GatewayError('not_found', { message });
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
