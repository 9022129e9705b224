/**
 * Goal: every fault of an upstream comes to the end that is promised, with its figure. Method:
 * the whole gateway, and upstreams over real sockets that break as they are told. Here is what
 * the other files leave open; `docs/resilience.md` says which test shows which fault.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { type Asked, ask, assertFailed } from './asking.ts';

const FIRST_TOKEN_MS = 300;
const TOTAL_MS = 500;
const OPEN_MS = 800;
const LEARNT = { connect_ms: 100, first_token_min_ms: 300, first_token_max_ms: 5000 };
const PROBES = 3;

let main: ScriptedUpstream;
let spare: ScriptedUpstream;
let gateway: TestGateway;

function configOf() {
  const provider = { kind: 'openai-compatible', api_key: 'sk-upstream' };
  const lone = (model: string) => ({ targets: [{ provider: 'main', model }] });
  const tight = { connect_ms: 100, first_token_ms: FIRST_TOKEN_MS, idle_ms: 200 };
  return {
    providers: {
      main: { ...provider, base_url: main.url },
      spare: { ...provider, base_url: spare.url },
    },
    models: {
      refused: { targets: [...lone('mock').targets, { provider: 'spare', model: 'mock' }] },
      brief: { ...lone('mock-brief'), timeouts: { ...tight, total_ms: TOTAL_MS } },
      patient: { ...lone('mock'), retry: { attempts: 3, budget_ratio: 1 } },
      broken: lone('mock-broken'),
      shut: { ...lone('mock-shut'), breaker: { open_seconds: 600 } },
      healthy: lone('mock-healthy'),
      stuck: lone('mock-stuck'),
      quick: { ...lone('mock-quick'), timeouts: { ...LEARNT, first_token_ms: 3000 } },
      fixed: {
        ...lone('mock-fixed'),
        timeouts: { ...LEARNT, first_token_ms: 1500, first_token_adaptive: false },
      },
      local: { ...lone('mock-local'), timeouts: { ...LEARNT, first_token_ms: 400 } },
      other: { targets: [{ provider: 'spare', model: 'mock' }] },
    },
    resilience: {
      breaker: { open_seconds: OPEN_MS / 1000, half_open_max_calls: PROBES },
      retry: { attempts: 1 },
    },
  };
}

before(async () => {
  [main, spare] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  gateway = await startGateway({ config: configOf() });
});

after(async () => {
  await gateway.close();
  await Promise.all([main.close(), spare.close()]);
});

beforeEach(async () => {
  main.forget();
  spare.forget();
  await gateway.api('POST', '/api/v1/circuit-breakers/reset');
});

test('U1: a target that refuses connections is gone around within 100 ms', async () => {
  for (const model of ['refused', 'other']) await ask(gateway, { model, stream: true });
  await main.refuse();

  // Other programs share the machine: the best of three is the gateway's own.
  const asked: Asked[] = [];
  for (let call = 0; call < 3; call += 1) {
    asked.push(await ask(gateway, { model: 'refused', stream: true }));
  }
  await main.accept();

  for (const { status, headers } of asked) {
    assert.deepEqual([status, headers.get('x-esclusa-provider')], [200, 'spare']);
  }
  const tookMs = Math.min(...asked.map((one) => one.tookMs));
  assert.ok(tookMs < 100, `took ${tookMs} ms`);
});

for (const stream of [false, true]) {
  const how = stream ? 'stream' : 'plain answer';
  test(`U2: a ${how} that never begins is ended at its limit, upstream and all`, async () => {
    main.script('mock-brief', { silent: true });

    const asked = await ask(gateway, { model: 'brief', stream });

    assertFailed(asked, 504, stream ? 'upstream_timeout' : 'deadline_exceeded');
    const limitMs = stream ? FIRST_TOKEN_MS : TOTAL_MS;
    assert.ok(asked.tookMs >= limitMs && asked.tookMs < limitMs + 500, `took ${asked.tookMs} ms`);
    const [call] = main.calls;
    assert.ok(call !== undefined);
    await main.waitForClose(call, 500);
    assert.equal(main.calls.length, 1);
  });
}

test('U3: the head of a stream comes with its first token, and no sooner', async () => {
  const firstTokenMs = 250;
  main.script('mock', { options: `ttft=${firstTokenMs}ms` });
  const startedMs = performance.now();

  const messages = [{ role: 'user', content: 'Say hello.' }];
  const response = await gateway.chat({ model: 'patient', stream: true, messages });
  const headMs = performance.now() - startedMs;
  await response.text();

  assert.equal(response.status, 200);
  assert.ok(headMs >= firstTokenMs - 5 && headMs < firstTokenMs + 1000, `after ${headMs} ms`);
});

/** So many are needed before a limit is learnt. */
async function streamTen(model: string): Promise<void> {
  for (let call = 0; call < 10; call += 1) {
    assert.ok((await ask(gateway, { model, stream: true })).done);
  }
}

test('a target that is normally quick is given up sooner when it falls silent', async () => {
  await streamTen('quick');
  await streamTen('fixed');
  main.script('mock-quick', { silent: true });
  main.script('mock-fixed', { silent: true });

  const quick = await ask(gateway, { model: 'quick', stream: true });
  const fixed = await ask(gateway, { model: 'fixed', stream: true });

  assertFailed(quick, 504, 'upstream_timeout');
  assertFailed(fixed, 504, 'upstream_timeout');
  assert.ok(quick.tookMs >= 300 && quick.tookMs < 1300, `took ${quick.tookMs} ms`);
  assert.ok(fixed.tookMs >= 1500, `took ${fixed.tookMs} ms: learning is switched off`);
});

test('a healthy slow target that takes longer than its first limit is not killed', async () => {
  main.script('mock-local', { options: 'ttft=250ms' });
  await streamTen('local');
  main.script('mock-local', { options: 'ttft=600ms' });

  const slow = await ask(gateway, { model: 'local', stream: true });

  assert.ok(slow.done, slow.text);
  assert.ok(slow.tookMs > 400, `took ${slow.tookMs} ms`);
});

for (const [name, behaviour, leastMs] of [
  ['a Retry-After of 1', 'status=429,retry-after=1', 1000],
  ['no Retry-After', 'status=429', 0],
] as const) {
  test(`U7: a rate limit with ${name} is waited for and tried again`, async () => {
    main.next(behaviour);

    const asked = await ask(gateway, { model: 'patient' });

    assert.equal(asked.status, 200, asked.text);
    assert.ok(asked.tookMs >= leastMs && asked.tookMs < 15_000, `took ${asked.tookMs} ms`);
    assert.equal(main.calls.length, 2);
  });
}

test('U7: a quota that is used up is told at once, after one call', async () => {
  main.script('mock', 'status=429,code=insufficient_quota');

  const asked = await ask(gateway, { model: 'patient' });

  assert.equal(asked.status, 429);
  assert.equal(asked.headers.get('x-should-retry'), 'false');
  assert.equal(main.calls.length, 1);
});

async function breakIt(model = 'broken'): Promise<void> {
  main.script(`mock-${model}`, 'status=500');
  for (let call = 1; call <= 5; call += 1) await ask(gateway, { model });
  main.forget();
}

async function stateOf(of: TestGateway, model: string) {
  return (await of.api('GET', `/api/v1/circuit-breakers/main%2F${model}`)).body;
}

function isOver(of: TestGateway): Promise<boolean> {
  return until('the time of the open breaker is over', async () => {
    return (await stateOf(of, 'mock-broken')).retry_after_ms === 0;
  });
}

test('U13: an open breaker refuses 30 callers, each within 150 ms', async (t) => {
  await breakIt('shut');

  // Other programs share the machine: what they take, they take of ordinary calls as well.
  const [refused, ordinary]: [Asked[], Asked[]] = [[], []];
  for (let caller = 0; caller < 30; caller += 1) {
    refused.push(await ask(gateway, { model: 'shut' }));
    ordinary.push(await ask(gateway, { model: 'other' }));
  }

  assert.ok(refused.every(({ status }) => status === 503));
  assert.ok(ordinary.every(({ status }) => status === 200));
  const slowest = (asked: readonly Asked[]) => Math.max(...asked.map(({ tookMs }) => tookMs));
  const [refusedMs, ordinaryMs] = [slowest(refused), slowest(ordinary)];
  t.diagnostic(`the slowest refusal took ${refusedMs} ms, the slowest answer ${ordinaryMs} ms`);
  assert.ok(refusedMs <= Math.max(150, ordinaryMs), `took ${refusedMs} ms`);
  assert.equal(main.calls.length, 0);
  assert.equal((await ask(gateway, { model: 'healthy' })).status, 200, 'another model is well');
});

/** Longer than a busy machine needs for a herd, so that all of it comes while the probes run. */
const PROBE_MS = 2500;

test('U13: of 60 callers at its end only the probes get through', async () => {
  await breakIt();
  main.script('mock-broken', { headDelayMs: PROBE_MS });
  await isOver(gateway);

  const callers = Array.from({ length: 60 }, () => ask(gateway, { model: 'broken' }));
  const healthy = await ask(gateway, { model: 'healthy' });
  const asked = await Promise.all(callers);

  assert.equal(asked.filter(({ status }) => status === 200).length, PROBES);
  assert.equal(asked.filter(({ status }) => status === 503).length, 60 - PROBES);
  assert.equal(main.callsOf('mock-broken').length, PROBES);
  assert.equal(healthy.status, 200, 'another model of the provider stays well');
  assert.equal((await stateOf(gateway, 'mock-broken')).state, 'closed');
});

test('U13: a breaker closes within a second of its time once the target is well', async () => {
  await breakIt();
  const healedAtMs = performance.now();

  await until('it is closed', async () => {
    await ask(gateway, { model: 'broken' });
    return (await stateOf(gateway, 'mock-broken')).state === 'closed';
  });

  const closedMs = performance.now() - healedAtMs;
  assert.ok(closedMs <= OPEN_MS + 1000, `took ${closedMs} ms`);
});

test('U14: breakers are each instance’s own: two send twice the probes', async () => {
  const another = await startGateway({ config: configOf() });
  try {
    main.script('mock-broken', 'status=500');
    for (const instance of [gateway, another]) {
      for (let call = 1; call <= 5; call += 1) await ask(instance, { model: 'broken' });
      assert.equal((await stateOf(instance, 'mock-broken')).state, 'open');
    }
    main.forget();
    main.script('mock-broken', { headDelayMs: PROBE_MS });
    await Promise.all([gateway, another].map(isOver));

    const herd = [gateway, another].flatMap((instance) =>
      Array.from({ length: 20 }, () => ask(instance, { model: 'broken' })),
    );
    await Promise.all(herd);

    assert.equal(main.callsOf('mock-broken').length, 2 * PROBES);
  } finally {
    await another.close();
  }
});

/** The 99th percentile of so many calls, one after the other. */
async function p99Ms(calls: number): Promise<number> {
  const tookMs: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const startedMs = performance.now();
    const messages = [{ role: 'user', content: `Say hello, ${call}.` }];
    const response = await gateway.chat({ model: 'other', messages });
    await response.text();
    assert.equal(response.status, 200);
    tookMs.push(performance.now() - startedMs);
  }
  tookMs.sort((a, b) => a - b);
  return tookMs[Math.ceil(0.99 * calls) - 1] ?? 0;
}

test('U15: 200 calls that hang at one provider move another’s p99 by 20 ms at most', async (t) => {
  main.script('mock-stuck', { silent: true });
  await p99Ms(100);
  const abort = new AbortController();
  let movedMs = Number.POSITIVE_INFINITY;
  // Other programs share the machine: the best of several rounds is the gateway's own.
  const quietMs = Math.min(await p99Ms(200), await p99Ms(200), await p99Ms(200));
  const hanging = Array.from({ length: 200 }, () => {
    const messages = [{ role: 'user', content: 'Say hello.' }];
    return gateway.chat({ model: 'stuck', messages }, undefined, { signal: abort.signal });
  });
  for (const call of hanging) call.catch(() => undefined);
  await main.waitForCall(200);

  for (let round = 0; round < 10 && movedMs > 20; round += 1) {
    movedMs = Math.min(movedMs, (await p99Ms(200)) - quietMs);
  }
  abort.abort();

  t.diagnostic(`p99 moved by ${movedMs.toFixed(1)} ms from ${quietMs.toFixed(1)} ms`);
  assert.ok(movedMs <= 20, `moved by ${movedMs} ms`);
  await until('the hanging calls have ended', () =>
    main.calls.every(({ clientClosedMs }) => clientClosedMs !== null),
  );
});
