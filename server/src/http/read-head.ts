/**
 * The headers of an inference request that mean something to the gateway, read in one pass
 * over the raw list: a header that must be single and is sent twice is refused, not merged.
 */
import type { IncomingMessage } from 'node:http';
import { type CacheControl, GatewayError, NO_CACHE_CONTROL } from '../gateway/index.ts';
import { isCacheAlias, withAliases } from './cache-aliases.ts';
import { readCacheControl } from './cache-control.ts';

export interface RequestHead {
  /** Sent by the client and well formed; null where we make one. */
  readonly correlationId: string | null;
  readonly cacheControl: CacheControl;
  /** null where the client sent none. */
  readonly idempotencyKey: string | null;
}

/** Letters, digits and `._:-`, at most 128: safe in a header, a log line and a file name. */
const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** Printable, as long as the shortest limit of those who defined the header. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i;

interface Singles {
  contentType: string | null;
  contentEncoding: string | null;
  correlationId: string | null;
  requestId: string | null;
  cacheControl: string | null;
  idempotencyKey: string | null;
}

interface Read extends Singles {
  /** What other gateways' headers say of the cache, by their names; null: nothing. */
  cacheAliases: Map<string, string> | null;
}

const FIELDS: ReadonlyMap<string, keyof Singles> = new Map([
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['x-correlation-id', 'correlationId'],
  ['x-request-id', 'requestId'],
  ['cache-control', 'cacheControl'],
  ['idempotency-key', 'idempotencyKey'],
]);

/** The correlation id alone; never throws, so that a refusal can carry it too. */
export function readCorrelationId(request: IncomingMessage): string | null {
  const sent = request.headers['x-correlation-id'] ?? request.headers['x-request-id'];
  return typeof sent === 'string' && CORRELATION_ID.test(sent) ? sent : null;
}

/**
 * Throws `duplicate_header`, `header_invalid`,
 * `content_type_unsupported`, `content_encoding_unsupported`.
 */
export function readHead(request: IncomingMessage): RequestHead {
  const singles = readSingles(request.rawHeaders);
  if (singles.contentType !== null && !JSON_TYPE.test(singles.contentType)) {
    throw new GatewayError('content_type_unsupported', {
      message: 'The body must be sent as `content-type: application/json`.',
      field: 'content-type',
    });
  }
  const encoding = singles.contentEncoding;
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new GatewayError('content_encoding_unsupported', { field: 'content-encoding' });
  }
  const correlationId = singles.correlationId ?? singles.requestId;
  return {
    correlationId:
      correlationId !== null && CORRELATION_ID.test(correlationId) ? correlationId : null,
    cacheControl: cacheControlOf(singles),
    idempotencyKey: idempotencyKeyOf(singles),
  };
}

function idempotencyKeyOf({ idempotencyKey }: Singles): string | null {
  if (idempotencyKey === null || IDEMPOTENCY_KEY.test(idempotencyKey)) return idempotencyKey;
  throw new GatewayError('header_invalid', {
    message: 'The header idempotency-key must be 1 to 255 printable ASCII characters.',
    field: 'idempotency-key',
  });
}

function readSingles(raw: readonly string[]): Read {
  const singles: Read = {
    contentType: null,
    contentEncoding: null,
    correlationId: null,
    requestId: null,
    cacheControl: null,
    idempotencyKey: null,
    cacheAliases: null,
  };
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const field = FIELDS.get(name);
    if (field !== undefined) {
      const before = singles[field];
      if (before !== null && name !== 'cache-control') throw twice(name);
      singles[field] = before === null ? value : `${before}, ${value}`;
    } else if (isCacheAlias(name)) {
      singles.cacheAliases ??= new Map();
      if (singles.cacheAliases.has(name)) throw twice(name);
      singles.cacheAliases.set(name, value);
    }
  }
  return singles;
}

function twice(name: string): GatewayError {
  return new GatewayError('duplicate_header', {
    message: `The header ${name} was sent twice.`,
    field: name,
  });
}

function cacheControlOf({ cacheControl, cacheAliases }: Read): CacheControl {
  const asked = cacheControl === null ? NO_CACHE_CONTROL : readCacheControl(cacheControl);
  return cacheAliases === null ? asked : withAliases(asked, cacheAliases);
}
