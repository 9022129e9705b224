/**
 * The credential of a request, wherever it was put: `Authorization: Bearer`, `x-api-key`,
 * `api-key` or `x-goog-api-key`. The one reader for every surface; it judges nothing, it only
 * finds.
 *
 * One pass over the raw headers, because the parsed ones keep only the first of two. Two
 * different credentials are refused: whichever was taken, somebody would be surprised. One in
 * the query string is refused, because addresses end up in logs.
 */
import type { IncomingMessage } from 'node:http';
import { type Credential, GatewayError } from '../gateway/index.ts';
import type { RequestOrigin } from './request-origin.ts';

const IN_A_HEADER =
  'Send the key or token in a header: `Authorization: Bearer <key>`, `x-api-key` or ' +
  '`x-goog-api-key`.';
const TWO = 'Two different credentials were sent. Send one.';
const BEARER = /^bearer +/i;

/** Lengths of the carriers' names: nearly every header is passed over by comparing one number. */
const AUTHORIZATION_LENGTH = 'authorization'.length;
const GOOG_LENGTH = 'x-goog-api-key'.length;
const X_API_KEY_LENGTH = 'x-api-key'.length;
const API_KEY_LENGTH = 'api-key'.length;

const QUERY_CARRIERS: ReadonlySet<string> = new Set([
  'key',
  'api_key',
  'api-key',
  'apikey',
  'x-api-key',
  'x-goog-api-key',
  'access_token',
  'token',
  'authorization',
]);

const NOWHERE: RequestOrigin = { address: () => null, tenant: () => null };

/** Never throws; what is refused is refused by whoever authenticates. */
export function readCredential(
  request: Pick<IncomingMessage, 'rawHeaders' | 'url'>,
  origin: RequestOrigin = NOWHERE,
): Credential {
  const url = request.url ?? '';
  const query = url.indexOf('?');
  if (query >= 0 && carriesCredential(url.slice(query + 1))) {
    return refused(origin, 'credentials_in_query', IN_A_HEADER);
  }
  const raw = request.rawHeaders;
  let found: string | null = null;
  for (let at = 0; at < raw.length; at += 2) {
    const value = carried(raw[at] as string, raw[at + 1] as string);
    if (value === null || value === '' || value === found) continue;
    if (value === undefined) {
      return refused(origin, 'credentials_invalid', '`Authorization` must be `Bearer <key>`.');
    }
    if (found !== null) {
      return refused(origin, 'credentials_conflicting', TWO);
    }
    found = value;
  }
  found ??= origin.instead?.() ?? null;
  const { address, tenant } = origin;
  if (found === null) return { kind: 'none', address };
  return { kind: 'secret', value: found, address, tenant };
}

/** The secret a header carries; null where it carries none, undefined in an unknown scheme. */
function carried(name: string, value: string): string | null | undefined {
  switch (name.length) {
    case AUTHORIZATION_LENGTH:
      return name.toLowerCase() === 'authorization' ? bearer(value) : null;
    case X_API_KEY_LENGTH:
      return name.toLowerCase() === 'x-api-key' ? value : null;
    case API_KEY_LENGTH:
      return name.toLowerCase() === 'api-key' ? value : null;
    case GOOG_LENGTH:
      return name.toLowerCase() === 'x-goog-api-key' ? value : null;
    default:
      return null;
  }
}

function bearer(value: string): string | null | undefined {
  if (value.startsWith('Bearer ')) return value.slice('Bearer '.length).trim();
  if (BEARER.test(value)) return value.replace(BEARER, '').trim();
  return value === '' || value.toLowerCase() === 'bearer' ? null : undefined;
}

function carriesCredential(query: string): boolean {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (QUERY_CARRIERS.has(decoded(equals < 0 ? pair : pair.slice(0, equals)))) return true;
  }
  return false;
}

function decoded(name: string): string {
  if (!name.includes('%')) return name.toLowerCase();
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name;
  }
}

function refused(
  { address }: RequestOrigin,
  code: 'credentials_in_query' | 'credentials_invalid' | 'credentials_conflicting',
  message: string,
): Credential {
  return { kind: 'refused', error: new GatewayError(code, { message }), address };
}
