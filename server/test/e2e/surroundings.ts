/**
 * The gateway with the three ways to a model that the tests of its outside compare: the mock in
 * the process, and the scripted upstream over real sockets, once as a compatible vendor and once
 * as OpenAI itself. The same model names mean the same behind each of them.
 */
import assert from 'node:assert/strict';
import type { FaultPoints } from '../../src/kernel/fault.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

/** As clients write them before the model: `sockets/mock`. */
export const WAYS = ['mock', 'sockets', 'openai'] as const;

export const UPSTREAM_KEY = 'sk-upstream-0123456789abcdef';

/** An image of one pixel. */
export const PIXEL_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' +
    '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const PIXEL_URL = `data:image/png;base64,${PIXEL_PNG.toString('base64')}`;

/** Short, yet longer than a busy machine keeps a test waiting. */
export const IDLE_MS = 600;

/** Small, so that a body beyond it costs nothing to make. */
export const MAX_BODY_BYTES = 300_000;

const PRICE = {
  input_usd_per_million: 1,
  cached_input_usd_per_million: 0.5,
  output_usd_per_million: 2,
};

export interface Surroundings {
  readonly gateway: TestGateway;
  readonly upstream: ScriptedUpstream;
  /** As a client package wants it: `http://127.0.0.1:port/v1`. */
  readonly baseURL: string;
  close(): Promise<void>;
}

/** Starts both. `changes` are laid over the sections of `configOf`. */
export async function startSurroundings(
  changes: Readonly<Record<string, object>> = {},
  options: Omit<GatewayOptions, 'config'> = {},
): Promise<Surroundings> {
  const upstream = await startScriptedUpstream();
  const config = configOf(upstream.url, changes);
  const gateway = await startGateway({ config, ...options }).catch(async (error) => {
    await upstream.close();
    throw error;
  });
  return {
    gateway,
    upstream,
    baseURL: `${gateway.url}/v1`,
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}

/** One attempt each, so that what clients retry is seen; a long silence is cut. */
function configOf(
  baseUrl: string,
  changes: Readonly<Record<string, object>>,
): Readonly<Record<string, unknown>> {
  const api_key = UPSTREAM_KEY;
  return {
    max_body_bytes: MAX_BODY_BYTES,
    providers: {
      mock: { kind: 'mock' },
      sockets: { kind: 'openai-compatible', base_url: baseUrl, api_key },
      openai: { kind: 'openai', base_url: baseUrl, api_key },
      ...changes.providers,
    },
    models: {
      mock: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE },
      priced: { targets: [{ provider: 'sockets', model: 'mock' }], price: PRICE },
      ...changes.models,
    },
    resilience: {
      breaker: { failure_threshold: 10_000 },
      timeouts: { connect_ms: 500, idle_ms: IDLE_MS, first_token_ms: 1000 },
      retry: { attempts: 1 },
      ...changes.resilience,
    },
  };
}

export interface LedgerRow {
  readonly id: string;
  readonly model: string;
  readonly provider: string | null;
  readonly status: number;
  readonly outcome: 'completed' | 'failed' | 'aborted' | 'rejected';
  readonly error_code: string | null;
  readonly cache: string;
  readonly attempts: number;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly source: 'provider' | 'estimated';
  };
  readonly cost_nanousd: number | null;
}

/** The ledger's row of an answer, by its `x-request-id`; there as soon as the answer is. */
export async function rowOf(gateway: TestGateway, id: string | null): Promise<LedgerRow> {
  const { status, body } = await gateway.api('GET', `/api/v1/requests/${id}`);
  assert.equal(status, 200, `no row for ${id}: ${JSON.stringify(body)}`);
  return body as LedgerRow;
}

/** Rows of one model's name, newest first: one for each request that a client made. */
export async function rowsOf(gateway: TestGateway, model: string): Promise<LedgerRow[]> {
  const query = `limit=100&model=${encodeURIComponent(model)}`;
  const { body } = await gateway.api('GET', `/api/v1/requests?${query}`);
  return body.data as LedgerRow[];
}

/** Fault points that fail the next request on demand, as a defect of ours would. */
export function breakable(): FaultPoints & { breakNext(): void } {
  let broken = false;
  return {
    breakNext() {
      broken = true;
    },
    hit(point) {
      if (!broken || point !== 'pipeline.guard') return;
      broken = false;
      throw new Error('a defect at /srv/esclusa/secret.ts');
    },
  };
}
