/**
 * Goal: trouble at one upstream is tried again, gone around or left alone, as the promise says,
 * and never multiplied. Method: the whole gateway and two upstreams over real sockets, which
 * count the calls they get.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { TestGateway } from '../support/gateway.ts';
import {
  type Behaviour,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { type Asked, ask, assertFailed } from './asking.ts';
import { type Surroundings, startSurroundings } from './surroundings.ts';

const OPEN_SECONDS = 1;

let around: Surroundings;
let gateway: TestGateway;
let upstream: ScriptedUpstream;
let second: ScriptedUpstream;

/** Its own model at the upstream, and so a breaker of its own. */
function breaking(model: string, breaker: Readonly<Record<string, number>>) {
  return { targets: [{ provider: 'sockets', model }], breaker };
}

before(async () => {
  second = await startScriptedUpstream();
  const first = { provider: 'sockets', model: 'mock' };
  const other = { provider: 'second', model: 'mock' };
  const base_url = second.url;
  const timeouts = { connect_ms: 100, first_token_ms: 200, idle_ms: 200 };
  const opening = { minimum_calls: 3, failure_threshold: 3, open_seconds: OPEN_SECONDS };
  around = await startSurroundings({
    providers: {
      second: { kind: 'openai-compatible', base_url, api_key: 'sk-second' },
      // The share of retries is counted by provider: this one's is not used up by others.
      crowded: { kind: 'openai-compatible', base_url, api_key: 'sk-second' },
    },
    models: {
      twice: { targets: [first], retry: { attempts: 2, budget_ratio: 1 } },
      four: { targets: [first], retry: { attempts: 4, budget_ratio: 1 } },
      crowd: {
        targets: [{ provider: 'crowded', model: 'mock' }],
        retry: { attempts: 3, budget_ratio: 0.2 },
      },
      both: { targets: [first, other], timeouts },
      breaking: breaking('mock-breaking', { ...opening, half_open_max_calls: 1 }),
      herded: breaking('mock-herded', { ...opening, half_open_max_calls: 2 }),
      healthy: breaking('mock-healthy', opening),
      refusing: breaking('mock-refusing', { minimum_calls: 1, failure_threshold: 1 }),
    },
  });
  ({ gateway, upstream } = around);
});

after(async () => {
  await around.close();
  await second.close();
});

beforeEach(async () => {
  upstream.forget();
  second.forget();
  // What an upstream did in one test, resting included, is not remembered in the next.
  await gateway.api('POST', '/api/v1/circuit-breakers/reset');
});

const TRANSIENT: readonly (readonly [string, Behaviour | string])[] = [
  ['500', 'status=500'],
  ['502', 'status=502'],
  ['503', 'status=503'],
  ['504', 'status=504'],
  ['529', 'status=529'],
  ['429 with a short pause', 'status=429,retry-after-ms=20'],
  ['a connection reset', { raw: '', ending: 'reset' }],
  ['a connection closed', { raw: '' }],
  ['an answer that is none', { body: '<html></html>' }],
  ['no content', 'status=204'],
];

for (const stream of [false, true]) {
  const how = stream ? 'a stream' : 'a plain answer';

  for (const [name, behaviour] of TRANSIENT) {
    test(`${name} before ${how} is tried again, and the client sees one good answer`, async () => {
      upstream.next(behaviour);

      const asked = await ask(gateway, { model: 'twice', stream });

      assert.equal(asked.status, 200, asked.text);
      assert.equal(upstream.calls.length, 2);
      assert.equal(asked.headers.get('x-esclusa-attempts'), '2');
      assert.deepEqual([asked.row.outcome, asked.row.attempts], ['completed', 2]);
    });
  }

  test(`${how} whose every attempt fails is the last failure, after as many calls`, async () => {
    upstream.next('status=500');
    upstream.next('status=503');

    const asked = await ask(gateway, { model: 'twice', stream });

    assertFailed(asked, 503, 'upstream_unavailable');
    assert.equal(upstream.calls.length, 2);
    assert.deepEqual([asked.row.attempts, asked.row.cost_nanousd], [2, 0]);
  });

  for (const status of [400, 401, 403, 404, 413, 422]) {
    test(`${status} before ${how} is not tried again`, async () => {
      upstream.script('mock', `status=${status}`);

      const asked = await ask(gateway, { model: 'four', stream });

      assert.equal(asked.row.outcome, 'failed');
      assert.equal(upstream.calls.length, 1);
    });
  }

  test(`${how} goes to the second target when the first fails`, async () => {
    upstream.script('mock', 'status=503');

    const asked = await ask(gateway, { model: 'both', stream });

    assert.equal(asked.status, 200, asked.text);
    assert.equal(asked.headers.get('x-esclusa-provider'), 'second');
    assert.deepEqual([upstream.calls.length, second.calls.length], [1, 1]);
    assert.deepEqual([asked.row.provider, asked.row.outcome], ['second', 'completed']);
  });

  for (const [name, behaviour] of [
    ['refuses our credentials', 'status=401'],
    ['does not know the model', 'status=404'],
    ['has no quota left', 'status=429,code=insufficient_quota'],
    ['limits the rate for long', 'status=429,retry-after=3600'],
    // A plain answer may take its whole time: only a stream's first piece is waited for.
    ...(stream ? [['is silent', { silent: true }] as const] : []),
  ] as const) {
    test(`${how} goes around a target that ${name}`, async () => {
      upstream.next(behaviour);

      const asked = await ask(gateway, { model: 'both', stream });

      assert.equal(asked.status, 200, asked.text);
      assert.deepEqual([upstream.calls.length, second.calls.length], [1, 1]);
    });
  }

  test(`${how} that the first target finds wrong is not sent to the second`, async () => {
    upstream.next('status=400');

    const asked = await ask(gateway, { model: 'both', stream });

    assertFailed(asked, 400, 'upstream_rejected');
    assert.deepEqual([upstream.calls.length, second.calls.length], [1, 0]);
  });
}

test('a second target never continues what a first one began', async () => {
  upstream.next('reset=3');

  const asked = await ask(gateway, { model: 'both', stream: true });

  assert.equal(asked.error?.code, 'upstream_unreachable');
  assert.equal(asked.said, 'You wrote:');
  assert.deepEqual([upstream.calls.length, second.calls.length], [1, 0]);
});

test('each upstream is sent its own credential and never the client’s', async () => {
  upstream.next('status=503');

  await ask(gateway, { model: 'both' });

  const [first, other] = [upstream.calls[0], second.calls[0]];
  assert.equal(first?.headers.authorization, 'Bearer sk-upstream-0123456789abcdef');
  assert.equal(other?.headers.authorization, 'Bearer sk-second');
  assert.doesNotMatch(JSON.stringify([first?.headers, other?.headers]), /esk_/);
});

test('retries stay within a fifth of the load, however many requests fail', async () => {
  second.script('mock', 'status=500');
  const requests = 50;

  const asked: Asked[] = [];
  for (let sent = 0; sent < requests; sent += 1) asked.push(await ask(gateway, { model: 'crowd' }));

  assert.ok(asked.every(({ status }) => status === 502));
  assert.ok(second.calls.length > requests, 'some were tried again');
  assert.ok(second.calls.length <= requests * 1.2 + 3, `${second.calls.length} calls`);
});

const LIMITED: readonly {
  readonly script: string;
  readonly retryAfter: string;
  readonly shouldRetry: string;
}[] = [
  { script: 'status=429,retry-after=7', retryAfter: '7', shouldRetry: 'true' },
  { script: 'status=429,retry-after-ms=6500', retryAfter: '7', shouldRetry: 'true' },
  { script: 'status=429,retry-after-date=9', retryAfter: '9', shouldRetry: 'true' },
  { script: 'status=429,retry-after=60', retryAfter: '60', shouldRetry: 'true' },
  { script: 'status=429,retry-after=61', retryAfter: '61', shouldRetry: 'false' },
  { script: 'status=429,retry-after=3600', retryAfter: '3600', shouldRetry: 'false' },
  { script: 'status=503,retry-after=3600', retryAfter: '3600', shouldRetry: 'false' },
];

for (const { script, retryAfter, shouldRetry } of LIMITED) {
  test(`${script} is passed on at once, with x-should-retry ${shouldRetry}`, async () => {
    upstream.script('mock', script);

    const asked = await ask(gateway, { model: 'four' });

    const { headers } = asked;
    assert.equal(asked.status, Number(script.slice('status='.length, 10)));
    assert.equal(headers.get('retry-after'), retryAfter);
    assert.equal(headers.get('x-should-retry'), shouldRetry);
    assert.ok(Math.abs(Number(headers.get('retry-after-ms')) / 1000 - Number(retryAfter)) <= 1);
    assert.equal(upstream.calls.length, 1);
    assert.ok(asked.tookMs < 1000, `took ${asked.tookMs} ms`);
  });
}

interface BreakerRow {
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half_open';
  readonly retry_after_ms: number | null;
}

async function breakerOf(model: string): Promise<BreakerRow | undefined> {
  const { body } = await gateway.api('GET', '/api/v1/circuit-breakers');
  return (body.data as BreakerRow[]).find(({ name }) => name === `sockets/${model}`);
}

async function failUntilOpen(alias: string, model: string): Promise<void> {
  upstream.script(model, 'status=500');
  for (let failure = 1; failure <= 3; failure += 1) {
    assertFailed(await ask(gateway, { model: alias }), 502, 'upstream_failed');
  }
  assert.equal((await breakerOf(model))?.state, 'open');
  upstream.forget();
}

test('a breaker opens, refuses without a call, and closes after good probes', async () => {
  await failUntilOpen('breaking', 'mock-breaking');

  const refused = await ask(gateway, { model: 'breaking' });
  assertRefused(refused);
  const shown = await breakerOf('mock-breaking');
  assert.ok(
    (shown?.retry_after_ms ?? 0) > 0 && (shown?.retry_after_ms ?? 0) <= 1000 * OPEN_SECONDS,
  );
  const other = await ask(gateway, { model: 'healthy' });
  assert.equal(other.status, 200, 'another model of the same provider is not touched');
  assert.deepEqual(
    upstream.calls.map(({ model }) => model),
    ['mock-healthy'],
  );

  await until('a probe is let through', async () => {
    return (await ask(gateway, { model: 'breaking' })).status === 200;
  });
  await ask(gateway, { model: 'breaking' });
  assert.equal((await breakerOf('mock-breaking'))?.state, 'closed');
});

test('a breaker whose probe fails is open again at once', async () => {
  await failUntilOpen('breaking', 'mock-breaking');
  upstream.script('mock-breaking', 'status=500');

  const probe = await until('a probe is let through', async () => {
    const asked = await ask(gateway, { model: 'breaking' });
    return asked.error?.code === 'no_target_available' ? null : asked;
  });
  const behind = await ask(gateway, { model: 'breaking' });

  assertFailed(probe, 502, 'upstream_failed');
  assertRefused(behind);
  assert.equal(upstream.calls.length, 1);
  assert.equal((await breakerOf('mock-breaking'))?.state, 'open');
});

test('a herd at an open breaker makes no call, and one at its end only the probes', async () => {
  await failUntilOpen('herded', 'mock-herded');

  const early = await Promise.all(crowd(30, 'herded'));
  for (const asked of early) assertRefused(asked);
  assert.equal(upstream.calls.length, 0);

  upstream.script('mock-herded', { headDelayMs: 1500 });
  await until('it is half open', async () => {
    return ((await breakerOf('mock-herded'))?.retry_after_ms ?? 0) === 0;
  });
  const late = await Promise.all(crowd(30, 'herded'));
  assert.equal(late.filter(({ status }) => status === 200).length, 2);
  assert.equal(upstream.calls.length, 2);
});

test('40 refusals in a row open no breaker, and each reaches the provider', async () => {
  const statuses = [400, 401, 403, 404, 422];
  for (let sent = 0; sent < 40; sent += 1) {
    upstream.next(`status=${statuses[sent % statuses.length]}`);
    await ask(gateway, { model: 'refusing' });
  }

  assert.equal(upstream.calls.length, 40);
  assert.equal((await breakerOf('mock-refusing'))?.state, 'closed');
  assert.equal((await ask(gateway, { model: 'refusing' })).status, 200);
});

function crowd(size: number, model: string): Promise<Asked>[] {
  return Array.from({ length: size }, () => ask(gateway, { model }));
}

/** Refused by the open breaker: quickly, with the time when it may be tried. */
function assertRefused(asked: Asked): void {
  assert.equal(asked.status, 503, asked.text);
  assert.equal(asked.error?.code, 'no_target_available');
  assert.equal(asked.headers.get('retry-after'), '1');
  assert.equal(asked.headers.get('x-should-retry'), 'true');
  assert.deepEqual([asked.row.outcome, asked.row.attempts], ['rejected', 0]);
}
