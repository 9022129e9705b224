/**
 * What the configuration grants tenants, from outside: limits and budgets of a tenant and of a
 * model within it, budgets that only warn, and places that tenants share fairly.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const PRICE = { input_usd_per_million: 1, output_usd_per_million: 1 };

let gateway: TestGateway;

before(async () => {
  gateway = await startGateway({
    config: {
      models: {
        fast: { targets: [{ provider: 'mock', model: 'mock:tokens=5' }], price: PRICE },
        slow: { targets: [{ provider: 'mock', model: 'mock:latency=150ms,tokens=5' }] },
      },
      tenants: {
        narrow: {
          limits: { requests_per_minute: 4 },
          models: { fast: { limits: { requests_per_minute: 2 } } },
        },
        poor: { budget: { limit_usd: '0.000000001', period: 'total' } },
        picky: { models: { fast: { budget: { limit_usd: '0.000000001', period: 'day' } } } },
        warned: { budget: { limit_usd: '0.000000001', period: 'month', soft: true } },
      },
      http: { max_in_flight: 2, max_queued_per_tenant: 3, max_queue_wait_ms: 2000 },
    },
  });
  for (const slug of ['narrow', 'poor', 'picky', 'warned', 'flood', 'quiet']) {
    await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
  }
});

after(() => gateway.close());

async function keyOf(tenant: string): Promise<string> {
  const key = await gateway.key({ tenant });
  return key.secret;
}

async function ask(secret: string, model: string) {
  const body = { model, max_tokens: 5, messages: [{ role: 'user', content: `${Math.random()}` }] };
  const answer = await gateway.chat(body, secret);
  const text = await answer.text();
  const message = answer.status === 200 ? '' : (JSON.parse(text).error.message as string);
  return { status: answer.status, message, headers: answer.headers };
}

test('a limit of the tenant holds over all its keys, and is named', async () => {
  const [one, two] = [await keyOf('narrow'), await keyOf('narrow')];

  const statuses: number[] = [];
  for (let i = 0; i < 4; i += 1) statuses.push((await ask(i % 2 ? one : two, 'mock')).status);
  const refused = await ask(one, 'mock');

  assert.deepEqual(statuses, [200, 200, 200, 200]);
  assert.equal(refused.status, 429);
  assert.match(refused.message, /requests per minute of the tenant "narrow"/);
  assert.equal(refused.headers.get('x-ratelimit-limit-requests'), '4');
  assert.equal(refused.headers.get('ratelimit-policy'), '"requests";q=4;w=60');
  assert.match(refused.headers.get('ratelimit') ?? '', /^"requests";r=0;t=\d+$/);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
});

test('a budget of the tenant refuses with 402, and is named', async () => {
  const answer = await ask(await keyOf('poor'), 'fast');

  assert.equal(answer.status, 402);
  assert.match(answer.message, /budget of the tenant "poor"/);
});

test('a budget of a model within the tenant concerns that model alone', async () => {
  const key = await keyOf('picky');

  const refused = await ask(key, 'fast');
  const other = await ask(key, 'mock');

  assert.equal(refused.status, 402);
  assert.match(refused.message, /the model "fast" in this tenant/);
  assert.ok(Number(refused.headers.get('retry-after')) <= 86_400);
  assert.equal(other.status, 200);
});

test('a budget that only warns says so in a header and refuses nothing', async () => {
  const key = await keyOf('warned');

  const answers = [await ask(key, 'fast'), await ask(key, 'fast')];

  for (const { status, headers } of answers) {
    assert.equal(status, 200);
    assert.equal(headers.get('x-esclusa-budget-warning'), 'tenant:warned');
  }
  const { body } = await gateway.api('GET', '/metrics');
  assert.match(body, /esclusa_budget_warnings_total(\{\})? 2/);
});

test('a changed configuration applies to the next request', async () => {
  const key = await keyOf('quiet');
  assert.equal((await ask(key, 'fast')).headers.get('x-ratelimit-limit-requests'), null);

  // The file as it was, with another limit; what needs a restart stays as it runs.
  await gateway.configure({
    models: {
      fast: { targets: [{ provider: 'mock', model: 'mock:tokens=5' }], price: PRICE },
      slow: { targets: [{ provider: 'mock', model: 'mock:latency=150ms,tokens=5' }] },
    },
    tenants: { quiet: { limits: { requests_per_minute: 9 } } },
    http: { max_in_flight: 2, max_queued_per_tenant: 3, max_queue_wait_ms: 2000 },
  });

  assert.equal((await ask(key, 'fast')).headers.get('x-ratelimit-limit-requests'), '9');
});

test('a tenant that floods is refused beyond its line; another comes through', async () => {
  const [flood, quiet] = [await keyOf('flood'), await keyOf('quiet')];

  const flooding = Array.from({ length: 12 }, () => ask(flood, 'slow'));
  const other = await ask(quiet, 'slow');
  const flooded = await Promise.all(flooding);

  const through = flooded.filter(({ status }) => status === 200);
  const refused = flooded.filter(({ status }) => status === 529);
  assert.equal(other.status, 200);
  assert.ok(through.length >= 5, `${through.length} passed`);
  assert.equal(through.length + refused.length, 12);
  assert.ok(refused.length > 0);
  for (const { message, headers } of refused) {
    assert.match(message, /max_in_flight.*max_queued_per_tenant/);
    assert.ok(Number(headers.get('retry-after')) >= 1);
  }
});
