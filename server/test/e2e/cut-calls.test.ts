/**
 * Goal: a call that the gateway itself cuts while its provider works is booked like one that its
 * client left: the provider charges for what it was sent. Method: the whole program, a provider
 * on real sockets that reads requests and answers nothing.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { rowOf } from './surroundings.ts';

const MESSAGES = [{ role: 'user', content: 'Say hello.' }];

async function start(t: TestContext) {
  const upstream = await startScriptedUpstream();
  t.after(() => upstream.close());
  const provider = { kind: 'openai-compatible', base_url: upstream.url, api_key: 'k' };
  const price = { input_usd_per_million: 1, output_usd_per_million: 2 };
  const config = {
    ...{ drain_delay_seconds: 0, drain_seconds: 0.1, providers: { s: provider } },
    models: { m: { targets: [{ provider: 's', model: 'mock' }], price } },
  };
  const gateway = await startGateway({ config });
  t.after(() => gateway.close());
  return { upstream, gateway, config };
}

type Started = Awaited<ReturnType<typeof start>>;

/** A call that the provider has and says nothing to. */
async function hanging({ upstream, gateway }: Started, secret: string): Promise<Response> {
  upstream.next({ silent: true });
  const answer = gateway.chat({ model: 'm', messages: MESSAGES, temperature: 1 }, secret);
  await until('the provider has it', () => upstream.calls.length > 0);
  return answer;
}

async function assertBooked(gateway: TestGateway, answer: Response, code: string): Promise<void> {
  const row = await rowOf(gateway, answer.headers.get('x-request-id'));
  assert.equal(row.error_code, code);
  assert.equal(row.usage.source, 'estimated');
  assert.ok(row.usage.input_tokens > 0 && (row.cost_nanousd ?? 0) > 0, JSON.stringify(row));
}

test('a call that ends because its key was revoked is booked', async (t) => {
  const started = await start(t);
  const { gateway } = started;
  const { id, secret } = await gateway.key();
  const answer = hanging(started, secret);
  await until('it runs', () => started.upstream.calls.length > 0);

  await gateway.api('DELETE', `/api/v1/keys/${id}`);

  await assertBooked(gateway, await answer, 'credentials_invalid');
});

test('a call that is cut by a stop is booked', async (t) => {
  const started = await start(t);
  const { gateway, config } = started;
  const { secret } = await gateway.key();
  const answer = hanging(started, secret);
  await until('it runs', () => started.upstream.calls.length > 0);

  await gateway.server.close('drain');

  const again = await startGateway({ config, folder: gateway.folder });
  t.after(() => again.server.close('now'));
  await assertBooked(again, await answer, 'shutting_down');
});
