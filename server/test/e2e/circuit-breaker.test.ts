/**
 * Goal: the breaker as its demonstration has it (D14), with the thresholds of the defaults and
 * a short time in place of the minute: five failures open it, callers fail fast or get the next
 * target's answer, one bad probe opens it again at once, two good ones close it, and whoever
 * looks at it changes nothing. Method: the whole gateway, and an upstream over real sockets
 * that counts its calls.
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

const OPEN_MS = 1000;

let upstream: ScriptedUpstream;
let spare: ScriptedUpstream;
let gateway: TestGateway;

before(async () => {
  upstream = await startScriptedUpstream();
  spare = await startScriptedUpstream();
  const vendor = { kind: 'openai-compatible', api_key: 'sk-upstream' };
  const lone = (model: string) => ({ targets: [{ provider: 'main', model }] });
  gateway = await startGateway({
    config: {
      providers: {
        main: { ...vendor, base_url: upstream.url },
        spare: { ...vendor, base_url: spare.url },
      },
      models: {
        alone: lone('mock-alone'),
        polled: lone('mock-polled'),
        measured: lone('mock-measured'),
        slow: lone('mock-slow-start'),
        stalled: { ...lone('mock-stalled'), timeouts: { ...TIGHT, total_ms: 200 } },
        'slow-or-spare': {
          targets: [
            { provider: 'main', model: 'mock-slow-start' },
            { provider: 'spare', model: 'mock' },
          ],
        },
        'with-spare': {
          targets: [
            { provider: 'main', model: 'mock-led' },
            { provider: 'spare', model: 'mock' },
          ],
        },
        'both-down': {
          targets: [
            { provider: 'main', model: 'mock-down' },
            { provider: 'spare', model: 'mock-down' },
          ],
        },
      },
      resilience: {
        breaker: { open_seconds: OPEN_MS / 1000, slow_call_ms: SLOW_MS },
        retry: { attempts: 1 },
      },
    },
  });
});

const SLOW_MS = 60;
const TIGHT = { connect_ms: 50, first_token_ms: 200, idle_ms: 200 };

after(async () => {
  await gateway.close();
  await upstream.close();
  await spare.close();
});

beforeEach(async () => {
  upstream.forget();
  spare.forget();
  await gateway.api('POST', '/api/v1/circuit-breakers/reset');
});

const PATH = '/api/v1/circuit-breakers';

async function breaker(name: string) {
  return (await gateway.api('GET', `${PATH}/${encodeURIComponent(name)}`)).body;
}

async function failFive(alias: string, model: string): Promise<void> {
  upstream.script(model, 'status=500');
  for (let call = 1; call <= 5; call += 1) {
    assert.equal((await breaker(`main/${model}`)).is_open ?? false, false, `before call ${call}`);
    await ask(gateway, { model: alias });
  }
  assert.equal((await breaker(`main/${model}`)).state, 'open');
}

/** Asks until the breaker lets a call through, and answers that one. */
function probe(alias: string): Promise<Asked> {
  return until('a probe is let through', async () => {
    const asked = await ask(gateway, { model: alias });
    return asked.error?.code === 'no_target_available' ? null : asked;
  });
}

test('D14: five failures open it, a bad probe opens it again, two good ones close it', async () => {
  await failFive('alone', 'mock-alone');
  assert.equal(upstream.calls.length, 5);

  const refused = await ask(gateway, { model: 'alone' });
  assert.equal(refused.status, 503);
  assert.equal(refused.error?.code, 'no_target_available');
  assert.deepEqual([refused.headers.get('retry-after'), refused.row.attempts], ['1', 0]);
  assert.equal(refused.headers.get('x-should-retry'), 'true');
  assert.ok(refused.tookMs < OPEN_MS / 2, `took ${refused.tookMs} ms: it waited for something`);
  assert.equal(upstream.calls.length, 5, 'nothing was called');

  assertFailed(await probe('alone'), 502, 'upstream_failed');
  assert.equal((await breaker('main/mock-alone')).state, 'open');
  assert.equal(upstream.calls.length, 6, 'one probe was enough');
  assert.equal((await ask(gateway, { model: 'alone' })).status, 503);

  upstream.forget();
  assert.equal((await probe('alone')).status, 200);
  assert.equal((await breaker('main/mock-alone')).state, 'half_open');
  assert.equal((await ask(gateway, { model: 'alone' })).status, 200);
  assert.equal((await breaker('main/mock-alone')).state, 'closed');
});

test('D14: with a second target its answer is given, and the first is not called', async () => {
  await failFive('with-spare', 'mock-led');
  const calls = upstream.calls.length;

  const asked = await ask(gateway, { model: 'with-spare' });

  assert.equal(asked.status, 200);
  assert.equal(asked.headers.get('x-esclusa-provider'), 'spare');
  assert.equal(asked.headers.get('x-esclusa-attempts'), '1');
  assert.equal(upstream.calls.length, calls);
});

test('D14: polling the endpoint changes nothing, and recovery needs no poll', async () => {
  await failFive('polled', 'mock-polled');
  const steady = ({ name, state, failure_count, total_calls, opened_at }: Breaker) => ({
    ...{ name, state, failure_count, total_calls, opened_at },
  });
  const first = steady(await breaker('main/mock-polled'));

  await until('its time is over', async () => {
    const { body } = await gateway.api('GET', PATH);
    const one = (body.data as Breaker[]).find(({ name }) => name === 'main/mock-polled');
    assert.ok(one !== undefined);
    assert.deepEqual(steady(one), first);
    return one.retry_after_ms === 0;
  });
  for (let poll = 0; poll < 50; poll += 1) {
    assert.deepEqual(steady(await breaker('main/mock-polled')), first);
  }

  upstream.forget();
  assert.equal((await ask(gateway, { model: 'polled' })).status, 200);
});

interface Breaker {
  readonly name: string;
  readonly state: string;
  readonly is_open: boolean;
  readonly cause: string | null;
  readonly failure_count: number;
  readonly failure_rate: number;
  readonly total_calls: number;
  readonly total_failures: number;
  readonly total_successes: number;
  readonly opened_at: string | null;
  readonly retry_after_ms: number | null;
  readonly resting_ms: number | null;
}

async function metrics(): Promise<Map<string, number>> {
  const { body } = await gateway.api('GET', '/metrics');
  const lines = String(body).split('\n');
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}

test('its figures add up, in the list and in metrics', async () => {
  const name = 'main/mock-measured';
  await ask(gateway, { model: 'measured' });
  await failFive('measured', 'mock-measured');
  await ask(gateway, { model: 'measured' });
  const one = (await breaker(name)) as Breaker;

  assert.deepEqual(
    [one.is_open, one.cause, one.failure_count, one.total_calls],
    [true, 'failures', 5, 6],
  );
  assert.deepEqual([one.total_failures, one.total_successes, one.failure_rate], [5, 1, 0.8333]);
  const open = await metrics();
  assert.equal(open.get(`circuit_breaker_state{name="${name}"}`), 1);
  assert.equal(open.get(`circuit_breaker_failures_total{name="${name}"}`), 5);
  const transitions = (from: string, to: string) =>
    `circuit_breaker_transitions_total{name="${name}",from="${from}",to="${to}"}`;
  assert.equal(open.get(transitions('closed', 'open')), 1);

  upstream.forget();
  await probe('measured');
  const probing = await metrics();
  await ask(gateway, { model: 'measured' });
  const closed = await metrics();

  assert.equal(probing.get(`circuit_breaker_state{name="${name}"}`), 2);
  assert.equal(closed.get(`circuit_breaker_state{name="${name}"}`), 0);
  assert.equal(closed.get(transitions('half_open', 'closed')), 1);
  const openSeconds = closed.get(`circuit_breaker_open_seconds_total{name="${name}"}`) ?? 0;
  assert.ok(openSeconds >= OPEN_MS / 1000 && openSeconds < 10, `${openSeconds} s`);
});

test('a reset by hand closes it at once, and is for those who may', async () => {
  await failFive('alone', 'mock-alone');
  const path = `${PATH}/${encodeURIComponent('main/mock-alone')}/reset`;
  const { secret } = await gateway.key();

  assert.equal((await gateway.api('POST', path, undefined, secret)).status, 403);
  assert.equal((await breaker('main/mock-alone')).state, 'open');
  const { status, body } = await gateway.api('POST', path);
  assert.deepEqual([status, body.state], [200, 'closed']);
  assert.equal((await gateway.api('POST', `${PATH}/main%2Fnone/reset`)).status, 404);

  upstream.forget();
  assert.equal((await ask(gateway, { model: 'alone' })).status, 200);
});

test('a target that stalls until the deadline is benched', async () => {
  upstream.script('mock-stalled', { silent: true });

  for (let call = 1; call <= 5; call += 1) {
    const asked = await ask(gateway, { model: 'stalled' });
    assertFailed(asked, 504, 'deadline_exceeded');
  }

  assert.equal((await breaker('main/mock-stalled')).state, 'open');
  assert.equal((await ask(gateway, { model: 'stalled' })).status, 503);
  assert.equal(upstream.calls.length, 5);
});

test('U3: slow first tokens are slow calls: avoided where there is another target', async () => {
  upstream.script('mock-slow-start', { options: `ttft=${2 * SLOW_MS}ms` });

  for (let call = 1; call <= 5; call += 1) {
    const asked = await ask(gateway, { model: 'slow', stream: true });
    assert.ok(asked.done, 'a slow answer is an answer');
  }
  const { state, cause, total_failures } = (await breaker('main/mock-slow-start')) as Breaker;
  assert.deepEqual([state, cause, total_failures], ['open', 'slowness', 0]);
  const around = await ask(gateway, { model: 'slow-or-spare', stream: true });
  assert.equal(around.headers.get('x-esclusa-provider'), 'spare');
  const alone = await ask(gateway, { model: 'slow', stream: true });

  assert.ok(alone.done, 'the last target is never ejected');
});

test('a target that asks for a pause rests, unless it is the last one', async () => {
  upstream.next('status=429,retry-after=3600');
  const first = await ask(gateway, { model: 'with-spare' });
  const second = await ask(gateway, { model: 'with-spare' });

  assert.deepEqual([first.row.attempts, second.row.attempts], [2, 1]);
  assert.equal(upstream.calls.length, 1);
  const { state, resting_ms } = (await breaker('main/mock-led')) as Breaker;
  assert.equal(state, 'closed');
  assert.ok((resting_ms ?? 0) > 3_590_000, `${resting_ms} ms`);

  upstream.next('status=429,retry-after=3600');
  const limited = await ask(gateway, { model: 'alone' });
  assert.equal(limited.status, 429);
  assert.equal(limited.headers.get('x-should-retry'), 'false');
  assert.equal((await ask(gateway, { model: 'alone' })).status, 200);
});

test('when every target is down the soonest one’s time is told', async () => {
  upstream.script('mock-down', 'status=429,retry-after=3600');
  spare.script('mock-down', 'status=503,retry-after=5');
  const failed = await ask(gateway, { model: 'both-down' });
  assert.deepEqual([failed.status, failed.headers.get('retry-after')], [503, '5']);
  assert.equal(failed.headers.get('x-should-retry'), 'true');

  upstream.script('mock-down', 'status=503,retry-after=5');
  spare.script('mock-down', 'status=429,retry-after=3600');
  await gateway.api('POST', '/api/v1/circuit-breakers/reset');
  const reversed = await ask(gateway, { model: 'both-down' });
  assert.deepEqual([reversed.status, reversed.headers.get('retry-after')], [503, '5']);

  spare.script('mock-down', 'status=500');
  upstream.script('mock-down', 'status=500');
  await gateway.api('POST', '/api/v1/circuit-breakers/reset');
  for (let call = 1; call <= 5; call += 1) await ask(gateway, { model: 'both-down' });
  const calls = upstream.calls.length + spare.calls.length;
  const refused = await ask(gateway, { model: 'both-down' });

  assert.deepEqual([refused.status, refused.error?.code], [503, 'no_target_available']);
  assert.deepEqual([refused.headers.get('retry-after'), refused.row.attempts], ['1', 0]);
  assert.equal(upstream.calls.length + spare.calls.length, calls);
});
