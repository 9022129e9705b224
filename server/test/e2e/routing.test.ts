/**
 * Goal: requests go where the configuration says, by speed, price, room, label and conditions,
 * and explain says beforehand what then happens. Method: the whole gateway and two upstreams
 * over real sockets, which count the calls they get.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { RouteExplanation } from '@esclusa/contracts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { ask } from './asking.ts';
import { PIXEL_URL } from './surroundings.ts';

let gateway: TestGateway;
let east: ScriptedUpstream;
let west: ScriptedUpstream;

const MODEL = 'mock';
const atEast = { provider: 'east', model: MODEL };
const atWest = { provider: 'west', model: MODEL };

function price(usd: number) {
  return { input_usd_per_million: usd, output_usd_per_million: usd };
}

function configOf() {
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

before(async () => {
  [east, west] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  gateway = await startGateway({ config: configOf() });
});

after(async () => {
  await gateway.close();
  await Promise.all([east.close(), west.close()]);
});

beforeEach(() => {
  east.forget();
  west.forget();
});

function counts(): [east: number, west: number] {
  return [east.calls.length, west.calls.length];
}

async function explain(
  body: Readonly<Record<string, unknown>>,
  key?: string,
): Promise<RouteExplanation> {
  const answer = await gateway.api('POST', '/api/v1/route/explain', body, key);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as RouteExplanation;
}

function orderOf({ targets }: RouteExplanation): string[] {
  return targets.map(({ provider }) => provider);
}

test('by latency a slow target is left alone, and used again once it is well', async () => {
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
  west.script(MODEL, 'status=503');
  const headers = { 'x-no-fallback': 'true' };

  const asked = await ask(gateway, { model: 'cheap', headers });

  assert.deepEqual([asked.status, asked.row.attempts], [503, 1]);
  assert.deepEqual(counts(), [0, 1]);
});

test('by room a hundred and twenty streams at once are spread as there are places', async () => {
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
  const providerOf = async (session: string) => {
    const asked = await ask(gateway, { model: 'kept', body: { metadata: { session } } });
    return asked.headers.get('x-esclusa-provider');
  };
  const sessions = Array.from({ length: 24 }, (_none, at) => `s-${at}`);
  const first = await Promise.all(sessions.map(providerOf));
  assert.equal(new Set(first).size, 2, 'both have labels');

  await gateway.configure({ ...configOf(), max_json_depth: 100 });
  const again = await Promise.all(sessions.map(providerOf));

  assert.deepEqual(again, first);
});

test('conditions decide which targets there are, and who lacks them gets the others', async () => {
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

test('explain names who then answers, for every order that is not a draw', async () => {
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

function chatOf(model: string) {
  return { model, messages: [{ role: 'user', content: 'Say hello.' }] };
}
