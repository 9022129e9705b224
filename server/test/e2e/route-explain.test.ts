/**
 * Goal: explain says beforehand what then happens, to whoever may know, and changes nothing.
 * Method: the whole gateway and two upstreams over real sockets, which count the calls they get.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { RouteExplanation } from '@esclusa/contracts';
import { ask } from './asking.ts';
import { type Routing, startRouting } from './routing-surroundings.ts';

let around: Routing;

before(async () => {
  around = await startRouting();
});

after(() => around.close());

beforeEach(() => around.forget());

function orderOf({ targets }: RouteExplanation): string[] {
  return targets.map(({ provider }) => provider);
}

test('explain names who then answers, for every order that is not a draw', async () => {
  const { gateway, explain } = around;
  const asking = [
    { model: 'cheap' },
    { model: 'role/router' },
    { model: 'kept', metadata: { session: 's-3' } },
    { model: 'kept', metadata: { session: 's-4' } },
    { model: 'tiered', metadata: { tier: 'staff' } },
    { model: 'tiered' },
    { model: 'west/mock' },
  ];

  for (const body of asking) {
    const messages = [{ role: 'user', content: 'Say hello.' }];
    const explained = await explain({ ...body, messages });
    const asked = await ask(gateway, { model: body.model, body });

    const said = `${JSON.stringify(body)} ${JSON.stringify(explained.targets)}`;
    assert.equal(explained.refusal, null, said);
    assert.equal(explained.targets[0]?.provider, asked.headers.get('x-esclusa-provider'), said);
  }
});

test('explain tells reasons, estimates, cache and times', async () => {
  const { explain } = around;
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const explained = await explain({ model: 'cheap', messages, max_tokens: 10, temperature: 0 });

  assert.deepEqual(orderOf(explained), ['west', 'east']);
  assert.deepEqual(explained.route, {
    ...{
      name: 'cheap',
      strategy: 'cost',
      sticky: null,
      sticky_value: null,
      arm: null,
      prompt: null,
    },
  });
  const [first, second] = explained.targets;
  assert.equal(first?.reason, 'cost');
  // 10 USD a million are 10 000 nano-dollars a token.
  assert.equal(second?.expected_nanousd, (explained.input_tokens + 10) * 10_000);
  assert.equal(explained.output_tokens, 10);
  assert.equal(explained.reserve_nanousd, second?.upper_bound_nanousd);
  assert.ok(Number(first?.upper_bound_nanousd) > Number(first?.expected_nanousd));
  assert.equal(typeof first?.timeouts.first_token_ms, 'number');
  assert.equal(explained.cache?.usable, true);
  assert.match(String(explained.cache?.key), /^[\w-]{43}$/);
  assert.deepEqual(
    [explained.live, explained.key_id, explained.tenant],
    [true, 'key_admin', 'default'],
  );

  const warm = await explain({ model: 'cheap', messages, temperature: 1 });
  assert.deepEqual([warm.cache?.usable, warm.cache?.key], [false, null]);
  assert.equal(warm.cache?.detail, 'not-deterministic');
});

test('explain tells who is left out and why, with the time of an open breaker', async () => {
  const { gateway, east, explain } = around;
  east.script('mock-broken', 'status=500');
  await ask(gateway, { model: 'broken' });

  const broken = await explain({ model: 'broken' });
  const tiered = await explain({ model: 'tiered' });
  const direct = await explain({ model: 'east/mock-broken' });

  assert.deepEqual(orderOf(broken), ['west']);
  const [rejected] = broken.rejected;
  assert.deepEqual([rejected?.id, rejected?.reason], ['east/mock-broken', 'breaker_open']);
  assert.ok(Number(rejected?.retry_after_ms) > 500_000);
  assert.deepEqual(
    tiered.rejected.map(({ reason, detail }) => [reason, detail]),
    [['condition', 'metadata.tier']],
  );
  assert.equal(direct.refusal?.code, 'no_target_available');
  assert.ok(Number(direct.refusal?.retry_after_ms) > 500_000);
});

test('explain asks as a key, whose models and budget count, and confines admins', async () => {
  const { gateway, explain } = around;
  const { id, secret } = await gateway.key({
    models: ['room'],
    budget: { limit_usd: '1', period: 'day' },
  });
  await gateway.api('POST', '/api/v1/tenants', { slug: 'far', name: 'Far' });
  const { secret: farAdmin } = await gateway.key({ tenant: 'far', role: 'admin' });

  const refused = await explain({ model: 'cheap', key_id: id });
  const unpriced = await explain({ model: 'room', key_id: id });
  const unknown = await explain({ model: 'nobody' });
  const byAdmin = await explain({ model: 'cheap' }, farAdmin);
  const path = '/api/v1/route/explain';
  const outside = await gateway.api('POST', path, { model: 'cheap', key_id: id }, farAdmin);
  const otherTenant = await gateway.api(
    'POST',
    path,
    { model: 'cheap', tenant: 'default' },
    farAdmin,
  );
  const plain = await gateway.api('POST', path, { model: 'cheap' }, secret);
  const malformed = await gateway.api('POST', path, { model: 'cheap', messages: 7 });

  assert.deepEqual([refused.key_id, refused.refusal?.code], [id, 'model_not_allowed']);
  assert.equal(refused.refusal?.status, 403);
  assert.deepEqual(orderOf(refused), ['west', 'east']);
  assert.equal(unpriced.refusal?.code, 'price_unknown');
  assert.deepEqual([unknown.refusal?.code, unknown.route], ['model_not_found', null]);
  assert.equal(byAdmin.tenant, 'far');
  assert.deepEqual([outside.status, otherTenant.status, plain.status], [404, 403, 403]);
  assert.deepEqual([malformed.status, malformed.body.error.code], [400, 'invalid_request']);
});

test('explaining changes nothing: no call, no row, no figure, no breaker, no entry', async () => {
  const { gateway, counts, explain } = around;
  await ask(gateway, { model: 'quick', stream: true });
  const state = async () => {
    const [breakers, rows, cache, budgets] = await Promise.all(
      [
        '/api/v1/circuit-breakers',
        '/api/v1/requests?limit=5',
        '/cache/stats',
        '/api/v1/budgets',
      ].map(async (path) => (await gateway.api('GET', path)).body),
    );
    const { entries, hits, misses } = cache.cache;
    return JSON.stringify({
      breakers: breakers.data.map(stable),
      rows,
      entries,
      hits,
      misses,
      budgets,
    });
  };
  const before = await state();
  const calls = counts();

  for (const model of ['quick', 'cheap', 'room', 'kept', 'tiered', 'broken', 'seeing', 'nobody']) {
    for (const stream of [true, false]) await explain({ model, stream, temperature: 0 });
  }

  assert.equal(await state(), before);
  assert.deepEqual(counts(), calls);
});

/** All of a breaker but the times that pass by themselves. */
function stable({
  retry_after_ms: _left,
  open_seconds_total: _since,
  workers,
  ...breaker
}: Readonly<Record<string, unknown>>) {
  const states = (workers as { state: string; failure_count: number }[]).map(
    ({ state, failure_count }) => [state, failure_count],
  );
  return { ...breaker, states };
}
