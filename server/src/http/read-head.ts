/**
 * The headers of an inference request that mean something to the gateway, read in one pass
 * over the raw list: a header that must be single and is sent twice is refused, not merged.
 */
import type { IncomingMessage } from 'node:http';
import { type CacheControl, GatewayError, NO_CACHE_CONTROL } from '../gateway/index.ts';
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
  forceRefresh: string | null;
  noCache: string | null;
}

const FIELDS: Readonly<Record<string, keyof Singles>> = {
  'content-type': 'contentType',
  'content-encoding': 'contentEncoding',
  'x-correlation-id': 'correlationId',
  'x-request-id': 'requestId',
  'cache-control': 'cacheControl',
  'idempotency-key': 'idempotencyKey',
  'x-portkey-cache-force-refresh': 'forceRefresh',
  'cf-aig-skip-cache': 'noCache',
  'x-no-cache': 'noCache',
};

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

function readSingles(raw: readonly string[]): Singles {
  const singles: Singles = {
    contentType: null,
    contentEncoding: null,
    correlationId: null,
    requestId: null,
    cacheControl: null,
    idempotencyKey: null,
    forceRefresh: null,
    noCache: null,
  };
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const field = FIELDS[name];
    if (field === undefined) continue;
    if (singles[field] !== null && name !== 'cache-control') {
      throw new GatewayError('duplicate_header', {
        message: `The header ${name} was sent twice.`,
        field: name,
      });
    }
    const before = singles[field];
    singles[field] = before === null ? (raw[i + 1] as string) : `${before}, ${raw[i + 1]}`;
  }
  return singles;
}

function cacheControlOf(singles: Singles): CacheControl {
  const asked =
    singles.cacheControl === null ? NO_CACHE_CONTROL : readCacheControl(singles.cacheControl);
  const refresh = isYes(singles.forceRefresh) || isYes(singles.noCache);
  return refresh ? { ...asked, noCache: true } : asked;
}

function isYes(value: string | null): boolean {
  return value !== null && /^(?:true|1|yes|on)$/i.test(value);
}
