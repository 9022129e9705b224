/**
 * What can go wrong, once for every client package: failures the upstream causes, by the script
 * in the model's name, and failures of the gateway's own, by what the request looks like. Each
 * with the status and code that the client must be shown.
 */
import assert from 'node:assert/strict';
import type { TestGateway } from '../support/gateway.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { MAX_BODY_BYTES } from './surroundings.ts';

export interface Failure {
  /** For titles: `an unknown key`. */
  readonly name: string;
  readonly status: number;
  readonly code: string;
  /** As the answer's `x-should-retry` says it; null where the status says enough. */
  readonly shouldRetry: boolean | null;
}

export interface UpstreamFailure extends Failure {
  /** Goes behind `<way>/mock:`. */
  readonly script: string;
}

const upstream = (
  script: string,
  status: number,
  code: string,
  shouldRetry: boolean | null,
): UpstreamFailure => ({ name: `an upstream’s ${script}`, script, status, code, shouldRetry });

export const UPSTREAM_FAILURES: readonly UpstreamFailure[] = [
  upstream('status=400', 400, 'upstream_rejected', null),
  upstream('status=400,code=context_length_exceeded', 400, 'context_length_exceeded', null),
  upstream('status=401', 502, 'upstream_credentials', false),
  upstream('status=403', 502, 'upstream_credentials', false),
  upstream('status=404', 404, 'model_not_found', null),
  upstream('status=413', 413, 'upstream_too_large', null),
  upstream('status=422', 422, 'upstream_unprocessable', null),
  upstream('status=429,retry-after=1', 429, 'rate_limit_exceeded', true),
  upstream('status=429,retry-after=3600', 429, 'rate_limit_exceeded', false),
  upstream('status=429,code=insufficient_quota', 429, 'insufficient_quota', false),
  upstream('status=500', 502, 'upstream_failed', true),
  upstream('status=502', 502, 'upstream_failed', true),
  upstream('status=503', 503, 'upstream_unavailable', true),
  upstream('status=504', 504, 'upstream_timeout', true),
  upstream('status=529', 503, 'upstream_unavailable', true),
];

/** What a client is to send so that the gateway itself refuses or fails. */
export interface GatewayFailure extends Failure {
  readonly key: string;
  readonly model: string;
  readonly content: string;
  /** A field of the body; null where none is needed. */
  readonly n: number | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Just before the request. */
  readonly prepare: () => unknown;
}

/** Aliases of the configuration that these failures need. */
export const FAILURE_MODELS = {
  fragile: {
    targets: [{ provider: 'mock', model: 'mock-fragile:status=500' }],
    breaker: { failure_threshold: 1, minimum_calls: 1, open_seconds: 600 },
  },
};

export const GATEWAY_FAILURES: readonly Failure[] = [
  { name: 'a field out of range', status: 400, code: 'invalid_request', shouldRetry: null },
  { name: 'an unknown key', status: 401, code: 'credentials_invalid', shouldRetry: null },
  { name: 'a used-up budget', status: 402, code: 'budget_exceeded', shouldRetry: false },
  {
    name: 'a model the key may not use',
    status: 403,
    code: 'model_not_allowed',
    shouldRetry: null,
  },
  { name: 'an unknown model', status: 404, code: 'model_not_found', shouldRetry: null },
  { name: 'a body too large', status: 413, code: 'body_too_large', shouldRetry: null },
  { name: 'a used-up rate limit', status: 429, code: 'rate_limited', shouldRetry: true },
  { name: 'a defect of ours', status: 500, code: 'internal_error', shouldRetry: true },
  { name: 'an open breaker', status: 503, code: 'no_target_available', shouldRetry: false },
  { name: 'a miss of the cache alone', status: 504, code: 'cache_only_miss', shouldRetry: false },
];

/** The request that meets the failure of this name. */
export async function provoke(
  failure: Failure,
  gateway: TestGateway,
  breakNext: () => void,
): Promise<GatewayFailure> {
  const usual = {
    ...failure,
    ...{ key: ADMIN_KEY, model: 'mock', content: 'Say hello.', n: null, headers: {} },
    prepare: () => undefined,
  };
  switch (failure.status) {
    case 400:
      return { ...usual, n: 500 };
    case 401:
      return { ...usual, key: 'esk_nobody' };
    case 402: {
      const { secret } = await gateway.key({ budget: { limit_usd: '0.000001', period: 'total' } });
      return { ...usual, key: secret };
    }
    case 403:
      return { ...usual, key: (await gateway.key({ models: ['priced'] })).secret };
    case 404:
      return { ...usual, model: 'nobody' };
    case 413:
      return { ...usual, content: 'x'.repeat(MAX_BODY_BYTES) };
    case 429: {
      const { secret } = await gateway.key({ limits: { requests_per_minute: 1 } });
      const first = await gateway.chat(chatOf('mock'), secret);
      assert.equal(first.status, 200);
      return { ...usual, key: secret };
    }
    case 500:
      return { ...usual, prepare: breakNext };
    case 503: {
      await gateway.chat(chatOf('fragile'));
      return { ...usual, model: 'fragile' };
    }
    case 504:
      return { ...usual, headers: { 'cache-control': 'only-if-cached' } };
    default:
      return assert.fail(`no way to ${failure.name}`);
  }
}

/** Ends of a stream that are none, by the script that makes them after the third event. */
export const BROKEN_STREAMS: readonly { readonly name: string; readonly script: string }[] = [
  { name: 'is cut cleanly', script: 'cut=3' },
  { name: 'is cut within an event', script: 'cut=3.5' },
  { name: 'is reset', script: 'reset=3' },
  { name: 'falls silent', script: 'stall=3' },
  { name: 'is garbled', script: 'garble=3' },
  { name: 'names an error', script: 'error=3' },
];

function chatOf(model: string) {
  return { model, messages: [{ role: 'user', content: 'Say hello.' }] };
}
