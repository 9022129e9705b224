/**
 * Limits and budgets that are set while the program runs: of tenants, of models in them, and of
 * users; they hold everywhere within two seconds. Method: the whole program; a second process
 * on the same data, and the command line.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';
import { until } from '../support/until.ts';

const EVERYWHERE_MS = 2000;
const HELLO = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };
const PRICE = { input_usd_per_million: 1, output_usd_per_million: 1 };
const CONFIG = {
  models: { fast: { targets: [{ provider: 'mock', model: 'mock:tokens=5' }], price: PRICE } },
  tenants: { acme: { limits: { tokens_per_minute: 100_000 } } },
};
const NOTHING = { limit_usd: '0.000000001', period: 'total' };

async function start(t: TestContext, folder?: string): Promise<TestGateway> {
  const gateway = await startGateway({ config: CONFIG, ...(folder && { folder }) });
  t.after(() => gateway.close());
  return gateway;
}

async function startAcme(t: TestContext) {
  const gateway = await start(t);
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  const { secret } = await gateway.key({ tenant: 'acme' });
  const set = async (body: unknown) => {
    const { status, body: tenant } = await gateway.api('PATCH', '/api/v1/tenants/acme', body);
    assert.equal(status, 200, JSON.stringify(tenant));
    return tenant;
  };
  return { gateway, secret, set };
}

async function ask(gateway: TestGateway, secret: string, model = 'mock') {
  const answer = await gateway.chat({ ...HELLO, model }, secret);
  const text = await answer.text();
  return { status: answer.status, text, headers: answer.headers };
}

test('a limit set for a tenant holds at once, and goes when it is taken away', async (t) => {
  const { gateway, secret, set } = await startAcme(t);

  const tenant = await set({ limits: { requests_per_minute: 2 } });
  const answers = [
    await ask(gateway, secret),
    await ask(gateway, secret),
    await ask(gateway, secret),
  ];

  assert.deepEqual(tenant.limits, { requests_per_minute: 2 });
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.match(answers[2]?.text ?? '', /the tenant \\"acme\\"/);
  assert.equal(answers[0]?.headers.get('x-ratelimit-limit-tokens'), '100000', 'of the file');
  await set({ limits: {} });
  assert.equal((await ask(gateway, secret)).status, 200);
});

test('another process holds it within two seconds', async (t) => {
  const { gateway, secret, set } = await startAcme(t);
  const second = await start(t, gateway.folder);
  await until('the key works there', async () => (await ask(second, secret)).status === 200);

  await set({ models: { mock: { limits: { concurrency: 1, requests_per_minute: 1 } } } });

  await until(
    'it is refused there',
    async () => (await ask(second, secret)).status === 429,
    EVERYWHERE_MS,
  );
  assert.equal((await ask(second, secret, 'fast')).status, 200);
});

test('a hard budget of a tenant refuses, a soft one warns, and both are listed', async (t) => {
  const { gateway, secret, set } = await startAcme(t);

  await set({ budget: NOTHING });
  assert.equal((await ask(gateway, secret, 'fast')).status, 402);

  await set({ budget: { ...NOTHING, soft: true }, models: { fast: { budget: PERIODIC } } });
  const warned = await ask(gateway, secret, 'fast');
  assert.equal(warned.status, 200);

  const { body } = await gateway.api('GET', '/api/v1/budgets?tenant=acme');
  const rows = body.data.map((row: Record<string, unknown>) => [
    ...[row.scope, row.model, row.period, row.soft, Number(row.spent_nanousd) > 0],
    ...[row.reserved_nanousd, row.renews_at !== null],
  ]);
  assert.deepEqual(rows, [
    ['tenant', null, 'total', true, true, 0, false],
    ['model', 'fast', 'day', false, true, 0, true],
  ]);
  await set({ budget: null, models: {} });
  assert.deepEqual((await gateway.api('GET', '/api/v1/budgets?tenant=acme')).body.data, []);
});

const PERIODIC = { limit_usd: '5', period: 'day' };

test('a user’s limits and a soft budget hold at once with the same token', async (t) => {
  const { gateway } = await startAcme(t);
  const made = await gateway.api('POST', '/api/v1/users', {
    ...{ username: 'ana', password: PASSWORD, email: 'ana@acme.example', tenant: 'acme' },
    roles: ['student'],
  });
  const { id } = made.body;
  const token = (await login(gateway.url, 'ana')).body.access_token as string;
  assert.equal((await ask(gateway, token, 'fast')).status, 200);

  const patch = (body: unknown) => gateway.api('PATCH', `/api/v1/users/${id}`, body);
  const soft = await patch({ budget: { ...NOTHING, soft: true } });
  assert.deepEqual(soft.body.budget, { ...NOTHING, soft: true });
  assert.equal((await ask(gateway, token, 'fast')).status, 200);
  await patch({ budget: NOTHING });
  assert.equal((await ask(gateway, token, 'fast')).status, 402);
  await patch({ budget: null, limits: { requests_per_minute: 1 } });
  await ask(gateway, token);
  assert.equal((await ask(gateway, token)).status, 429);

  const { body } = await gateway.api('GET', '/api/v1/budgets?tenant=acme');
  assert.deepEqual(body.data, []);
});

test('what makes no sense is refused with the member at fault', async (t) => {
  const { gateway } = await startAcme(t);
  const wrong = [
    [{ limits: { requests_per_minute: 0 } }, /limits/],
    [{ limits: { requests: 1 } }, /limits/],
    [{ budget: { limit_usd: '-1', period: 'day' } }, /budget/],
    [{ models: { fast: { budget: { limit_usd: '1', period: 'week' } } } }, /models/],
  ] as const;
  for (const [body, field] of wrong) {
    const answer = await gateway.api('PATCH', '/api/v1/tenants/acme', body);
    assert.equal(answer.status, 400);
    assert.match(answer.body.error.field, field);
  }
});
