/**
 * Goal: requests go where the configuration says, by speed, price, room, label and conditions.
 * Method: the whole gateway and two upstreams over real sockets, which count the calls they get.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { until } from '../support/until.ts';
import { ask } from './asking.ts';
import { MODEL, type Routing, routingConfig, startRouting } from './routing-surroundings.ts';
import { PIXEL_URL } from './surroundings.ts';

let around: Routing;

before(async () => {
  around = await startRouting();
});

after(() => around.close());

beforeEach(() => around.forget());

test('by latency a slow target is left alone, and used again once it is well', async () => {
  const { gateway, east, west, counts, explain } = around;
  east.script(MODEL, 'ttft=1500ms');
  for (let i = 0; i < 20; i += 1) await ask(gateway, { model: 'quick', stream: true });
  const [slow, quick] = counts();
  // On a busy machine its time may fade while these twenty run, and then it is tried again.
  assert.ok(slow >= 1 && slow <= 2, `the slow one was tried ${slow} times`);
  assert.equal(slow + quick, 20);
  const { targets } = await explain({ model: 'quick', stream: true });
  assert.equal(targets[0]?.provider, 'west');
  const [first, second] = targets.map(({ expected_ms }) => Number(expected_ms));
  assert.ok(Number(second) > Number(first), JSON.stringify(targets));

  east.forget();
  await until(
    'the one that was slow is tried again',
    async () => {
      await ask(gateway, { model: 'quick', stream: true });
      return east.calls.length > 0;
    },
    20_000,
  );
  east.forget();
  west.forget();

  await until(
    'both are used',
    async () => {
      await ask(gateway, { model: 'quick', stream: true });
      return counts().every((calls) => calls >= 10);
    },
    20_000,
  );
});

test('by latency a target that fails quickly is no quick target', async () => {
  const { gateway, east, west, counts } = around;
  east.script(MODEL, 'status=503');
  west.script(MODEL, 'ttft=30ms');

  for (let i = 0; i < 10; i += 1) {
    const asked = await ask(gateway, { model: 'quick' });
    assert.equal(asked.status, 200, asked.text);
  }

  const [failing, working] = counts();
  assert.ok(failing <= 1, `the failing one was tried ${failing} times`);
  assert.equal(working, 10);
});

test('by cost the cheap target answers, and the dear one when it fails', async () => {
  const { gateway, west } = around;
  const asked = await ask(gateway, { model: 'cheap' });
  assert.equal(asked.headers.get('x-esclusa-provider'), 'west');
  west.script(MODEL, 'status=503');

  const failedOver = await ask(gateway, { model: 'cheap' });

  assert.equal(failedOver.status, 200, failedOver.text);
  assert.equal(failedOver.headers.get('x-esclusa-provider'), 'east');
  assert.equal(failedOver.row.attempts, 2);
  assert.ok(Number(failedOver.row.cost_nanousd) > Number(asked.row.cost_nanousd));
});

test('a client that declines fallback gets the failure of the first target', async () => {
  const { gateway, west, counts } = around;
  west.script(MODEL, 'status=503');
  const headers = { 'x-no-fallback': 'true' };

  const asked = await ask(gateway, { model: 'cheap', headers });

  assert.deepEqual([asked.status, asked.row.attempts], [503, 1]);
  assert.deepEqual(counts(), [0, 1]);
});

test('by room a hundred and twenty streams at once are spread as there are places', async () => {
  const { gateway, east, west, counts } = around;
  east.script(MODEL, 'ttft=500ms');
  west.script(MODEL, 'ttft=500ms');

  const asked = await Promise.all(
    Array.from({ length: 120 }, () => ask(gateway, { model: 'room', stream: true })),
  );

  const bad = asked.find(({ status, done }) => status !== 200 || !done);
  assert.equal(bad?.text, undefined);
  const [hundred, fifty] = counts();
  assert.ok(Math.abs(hundred - 80) <= 2, `of 100 places ${hundred} were taken`);
  assert.ok(Math.abs(fifty - 40) <= 2, `of 50 places ${fifty} were taken`);
});

test('a label keeps to its target, over other labels and a new configuration', async () => {
  const { gateway, east, west } = around;
  const providerOf = async (session: string) => {
    const asked = await ask(gateway, { model: 'kept', body: { metadata: { session } } });
    return asked.headers.get('x-esclusa-provider');
  };
  const sessions = Array.from({ length: 24 }, (_none, at) => `s-${at}`);
  const first = await Promise.all(sessions.map(providerOf));
  assert.equal(new Set(first).size, 2, 'both have labels');

  await gateway.configure({ ...routingConfig(east, west), max_json_depth: 100 });
  const again = await Promise.all(sessions.map(providerOf));

  assert.deepEqual(again, first);
});

test('conditions decide which targets there are, and who lacks them gets the others', async () => {
  const { gateway } = around;
  const gold = await ask(gateway, { model: 'tiered', body: { metadata: { tier: 'gold' } } });
  const other = await ask(gateway, { model: 'tiered', body: { metadata: { tier: 'tin' } } });
  const none = await ask(gateway, { model: 'tiered', body: { user: 'u'.repeat(1000) } });

  assert.equal(gold.headers.get('x-esclusa-provider'), 'east');
  assert.equal(other.headers.get('x-esclusa-provider'), 'west');
  assert.deepEqual([none.status, none.error?.code], [400, 'no_target_suits']);
  assert.match(none.error?.message ?? '', /conditions of the configuration do not hold/);
  assert.doesNotMatch(none.error?.message ?? '', /gold|metadata|200/);
  assert.deepEqual([none.row.outcome, none.row.attempts], ['rejected', 0]);
});

test('a header and the tenant of the key can be conditions of a whole alias', async () => {
  const { gateway } = around;
  await gateway.api('POST', '/api/v1/tenants', { slug: 'guests', name: 'Guests' });
  const { secret: key } = await gateway.key({ tenant: 'guests' });
  const headers = { 'X-Tier': 'gold' };

  const both = await ask(gateway, { model: 'guests', key, headers }).catch((error) => error);
  const noHeader = await gateway.chat(chatOf('guests'), key);
  const noTenant = await gateway.chat(chatOf('guests'), undefined, { headers });

  assert.equal(both.status ?? 0, 200, String(both));
  assert.deepEqual([noHeader.status, noTenant.status], [400, 400]);
});

test('a request with an image goes around a model that cannot see', async () => {
  const { gateway, counts } = around;
  const image = { type: 'image_url', image_url: { url: PIXEL_URL } };
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }];
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];

  const seen = await ask(gateway, { model: 'seeing', body: { messages } });
  const both = await ask(gateway, { model: 'seeing', body: { messages, tools } });

  assert.equal(seen.headers.get('x-esclusa-provider'), 'west');
  assert.deepEqual([both.status, both.error?.code], [400, 'no_target_suits']);
  assert.match(
    both.error?.message ?? '',
    /east\/mock cannot do vision; west\/mock cannot do tools/,
  );
  assert.deepEqual(counts(), [0, 1]);
});

test('answers in the cache are not shared by requests with other targets', async () => {
  const { gateway } = around;
  const asking = (tier: string) =>
    ask(gateway, { model: 'cached', body: { temperature: 0, metadata: { tier } } });

  const statuses: string[] = [];
  for (const tier of ['tin', 'gold', 'tin', 'gold', 'lead']) {
    const { headers } = await asking(tier);
    statuses.push(`${headers.get('x-cache')} ${headers.get('x-esclusa-provider')}`);
  }

  assert.deepEqual(statuses, ['MISS west', 'MISS east', 'HIT west', 'HIT east', 'HIT west']);
});

test('roles and retired names are answered, and only roles are listed', async () => {
  const { gateway } = around;
  for (const model of ['role/router', 'role/logic', 'gpt-of-old', 'east/of-old']) {
    const asked = await ask(gateway, { model });
    assert.equal(asked.headers.get('x-esclusa-provider'), 'west', model);
    assert.equal(asked.row.model, model);
  }

  const { body } = await gateway.api('GET', '/v1/models');
  const ids = (body.data as { id: string }[]).map(({ id }) => id);

  assert.ok(
    ['cheap', 'role/router', 'role/logic'].every((id) => ids.includes(id)),
    ids.join(),
  );
  assert.ok(!ids.includes('gpt-of-old') && !ids.includes('east/of-old'));
});

test('a key may use an alias by each of its names, and a role without its alias', async () => {
  const { gateway } = around;
  const { secret: alias } = await gateway.key({ models: ['cheap'] });
  const { secret: role } = await gateway.key({ models: ['role/router'] });
  const status = async (model: string, key: string) =>
    (await gateway.chat(chatOf(model), key)).status;

  assert.deepEqual(
    await Promise.all(['cheap', 'role/router', 'gpt-of-old'].map((name) => status(name, alias))),
    [200, 200, 200],
  );
  assert.equal(await status('role/router', role), 200);
  assert.equal(await status('cheap', role), 403);
  assert.equal(await status('role/logic', alias), 403);
  const { body } = await gateway.api('GET', '/v1/models', undefined, alias);
  const ids = (body.data as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(ids.sort(), ['cheap', 'role/router']);
});

function chatOf(model: string) {
  return { model, messages: [{ role: 'user', content: 'Say hello.' }] };
}
