/**
 * Pages of other origins that may call the service from a browser: the operator's list, compared
 * letter by letter. Answers to them carry what a browser needs; to all others nothing is added,
 * and browsers keep the answer from them.
 *
 * Credentials that a browser adds by itself (cookies) are never asked for, so that no page can
 * act in the name of somebody who is signed in at the console. `null` is no origin: any page can
 * have it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EVERY_ORIGIN } from '../kernel/origins.ts';

/** Answers what a browser asks before a request, and is then done: true. */
export type CrossOrigin = (request: IncomingMessage, response: ServerResponse) => boolean;

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** What a program in a page may read of an answer, beside what every page may. */
const EXPOSED = [
  ...['age', 'allow', 'cache-status', 'location', 'retry-after', 'retry-after-ms'],
  ...['ratelimit', 'ratelimit-policy', 'server-timing', 'x-cache', 'x-correlation-id'],
  ...['x-request-id', 'request-id', 'x-should-retry', 'x-esclusa-attempts', 'x-esclusa-config'],
  ...['x-esclusa-cost-usd', 'x-esclusa-degraded', 'x-esclusa-dropped', 'x-esclusa-model'],
  ...['x-esclusa-overhead-ms', 'x-esclusa-provider', 'x-esclusa-worker'],
  ...['x-ratelimit-limit-requests', 'x-ratelimit-limit-tokens'],
  ...['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens'],
  ...['x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens'],
].join(', ');
/** Names of headers, as a browser lists them. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]{1,100}(?:\s*,\s*[\w!#$%&'*+.^`|~-]{1,100}){0,63}$/;
const MAX_AGE_SECONDS = '600';

/** null where nobody is allowed: requests are not looked at then. */
export function createCrossOrigin(allowed: readonly string[]): CrossOrigin | null {
  if (allowed.length === 0) return null;
  const origins = new Set(allowed);
  const isForAll = origins.has(EVERY_ORIGIN);
  return (request, response) => {
    const { origin } = request.headers;
    if (!isForAll) response.setHeader('vary', 'origin');
    if (typeof origin !== 'string') return false;
    if (!isForAll && (origin === 'null' || !origins.has(origin))) return false;
    response.setHeader('access-control-allow-origin', isForAll ? EVERY_ORIGIN : origin);
    response.setHeader('access-control-expose-headers', EXPOSED);
    const method = request.headers['access-control-request-method'];
    if (request.method !== 'OPTIONS' || method === undefined) return false;
    answerPreflight(request, response);
    return true;
  };
}

/** Which headers a program may send is no secret and grants nothing: the origin is trusted. */
function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers['access-control-request-headers'];
  if (asked !== undefined && HEADER_NAMES.test(asked)) {
    response.setHeader('access-control-allow-headers', asked);
  }
  response.setHeader('access-control-allow-methods', METHODS);
  response.setHeader('access-control-max-age', MAX_AGE_SECONDS);
  response.setHeader(
    'vary',
    'origin, access-control-request-method, access-control-request-headers',
  );
  response.writeHead(204).end();
}
