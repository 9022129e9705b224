/**
 * The gateway over two upstreams that count the calls they get, with an alias for every way to
 * choose between them.
 */
import assert from 'node:assert/strict';
import type { RouteExplanation } from '@esclusa/contracts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

export interface Routing {
  readonly gateway: TestGateway;
  readonly east: ScriptedUpstream;
  readonly west: ScriptedUpstream;
  counts(): [east: number, west: number];
  explain(body: Readonly<Record<string, unknown>>, key?: string): Promise<RouteExplanation>;
  /** Neither has been called, and both do what they do by themselves. */
  forget(): void;
  close(): Promise<void>;
}

export async function startRouting(): Promise<Routing> {
  const [east, west] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  const gateway = await startGateway({ config: routingConfig(east, west) });
  return {
    ...{ gateway, east, west },
    counts: () => [east.calls.length, west.calls.length],
    async explain(body, key) {
      const answer = await gateway.api('POST', '/api/v1/route/explain', body, key);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body as RouteExplanation;
    },
    forget() {
      east.forget();
      west.forget();
    },
    async close() {
      await gateway.close();
      await Promise.all([east.close(), west.close()]);
    },
  };
}

export const MODEL = 'mock';
const atEast = { provider: 'east', model: MODEL };
const atWest = { provider: 'west', model: MODEL };

function price(usd: number) {
  return { input_usd_per_million: usd, output_usd_per_million: usd };
}

export function routingConfig(east: ScriptedUpstream, west: ScriptedUpstream) {
  return {
    providers: {
      east: { kind: 'openai-compatible', base_url: east.url, api_key: 'k', max_concurrency: 100 },
      west: { kind: 'openai-compatible', base_url: west.url, api_key: 'k', max_concurrency: 50 },
    },
    models: {
      quick: { strategy: 'latency', targets: [atEast, atWest] },
      cheap: {
        strategy: 'cost',
        targets: [
          { ...atEast, price: price(10) },
          { ...atWest, price: price(1) },
        ],
      },
      room: { strategy: 'least-busy', targets: [atEast, atWest] },
      kept: { strategy: 'weighted', sticky: 'metadata.session', targets: [atEast, atWest] },
      tiered: {
        targets: [
          { ...atEast, when: { metadata: { tier: ['gold', 'staff'] } } },
          { ...atWest, when: { max_input_tokens: 200 } },
        ],
      },
      guests: { targets: [atEast], when: { tenant: 'guests', header: { 'x-tier': 'gold' } } },
      seeing: {
        targets: [
          { ...atEast, capabilities: ['tools'] },
          { ...atWest, capabilities: ['vision'] },
        ],
      },
      cached: { targets: [{ ...atEast, when: { metadata: { tier: 'gold' } } }, atWest] },
      broken: {
        targets: [
          { provider: 'east', model: 'mock-broken' },
          { provider: 'west', model: 'mock-spare' },
        ],
        breaker: { failure_threshold: 1, minimum_calls: 1, open_seconds: 600 },
      },
    },
    roles: { router: 'cheap', logic: 'west/mock' },
    retired_models: { 'gpt-of-old': 'cheap', 'east/of-old': 'west/mock' },
    routing: { latency_decay_seconds: 1 },
    resilience: { retry: { attempts: 1 }, breaker: { failure_threshold: 10_000 } },
  };
}
