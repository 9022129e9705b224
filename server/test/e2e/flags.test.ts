/**
 * Goal: a flag that is changed moves a stable share of tenants, everywhere, within five seconds
 * and without a restart, and it is written down who did it. Method: the whole program, twice
 * over one database.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const LIVE_MS = 5000;
const TENANTS = 30;

async function pair(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const first = await startGateway({ env });
  t.after(() => first.close());
  const second = await startGateway({ folder: first.folder, env });
  t.after(() => second.close());
  return { first, second };
}

/** One key for each of several tenants. */
async function keysOf(gateway: TestGateway): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let at = 0; at < TENANTS; at += 1) {
    const slug = `tenant-${at}`;
    const made = await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
    assert.equal(made.status, 201);
    keys.push((await gateway.key({ tenant: slug })).secret);
  }
  return keys;
}

/** Whose answers are kept: the second of two equal requests is a hit. */
async function cached(gateway: TestGateway, keys: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [at, key] of keys.entries()) {
    const body = { model: 'mock', temperature: 0, messages: [{ role: 'user', content: 'hola' }] };
    const answer = await gateway.chat(body, key);
    await answer.text();
    if (answer.headers.get('x-cache') !== 'BYPASS') found.push(at);
  }
  return found;
}

test('10, 50, 100 and 0 % move a stable share of tenants, on every process', async (t) => {
  const { first, second } = await pair(t);
  const keys = await keysOf(first);
  const set = (percentage: number) => first.api('PUT', '/api/v1/flags/llm_cache', { percentage });
  /** A round may see the change come in its middle: two alike are after it. */
  const seenBy = async (gateway: TestGateway, isRight: (share: readonly number[]) => boolean) => {
    const isLive = async () => {
      const [share, again] = [await cached(gateway, keys), await cached(gateway, keys)];
      return isRight(share) && share.join() === again.join() ? share : null;
    };
    return until('the share to be live', isLive, LIVE_MS);
  };

  await seenBy(second, (share) => share.length === TENANTS);
  assert.equal((await set(10)).status, 200);
  const small = await seenBy(second, (share) => share.length < TENANTS / 2);
  assert.deepEqual(await cached(first, keys), small, 'the same tenants on both');
  assert.deepEqual(await cached(second, keys), small, 'the same tenants again');

  await set(50);
  const half = await seenBy(second, (share) => share.length > small.length);
  assert.ok(
    small.every((tenant) => half.includes(tenant)),
    'who was in stays in',
  );
  assert.ok(half.length > 5 && half.length < 25, String(half.length));

  await set(100);
  await seenBy(second, (share) => share.length === TENANTS);
  await set(0);
  await seenBy(second, (share) => share.length === 0);

  const { body: audit } = await first.api('GET', '/api/v1/audit?limit=20');
  const changes = audit.data.filter((entry: { action: string }) => entry.action === 'flags.update');
  assert.equal(changes.length, 4);
  assert.deepEqual([changes[0].subject, changes[0].actor], ['llm_cache', 'key_admin']);
});

test('the environment forces a flag off, whatever is stored', async (t) => {
  const gateway = await startGateway({ env: { ENABLE_PROMETHEUS_METRICS: 'false' } });
  t.after(() => gateway.close());

  await gateway.api('PUT', '/api/v1/flags/prometheus_metrics', { enabled: true });

  const { body } = await gateway.api('GET', '/api/v1/flags/prometheus_metrics');
  assert.deepEqual(
    [body.enabled, body.forced_off_by, (await gateway.api('GET', '/metrics')).status],
    [true, 'ENABLE_PROMETHEUS_METRICS', 404],
  );
});

test('metrics tell the share of each flag, as it is in force', async (t) => {
  const gateway = await startGateway({
    env: { LLM_CACHE_ENABLED: 'false', ENABLE_STARTUP_VALIDATION: 'false' },
  });
  t.after(() => gateway.close());

  await gateway.api('PUT', '/api/v1/flags/smart_next', { percentage: 10 });

  const { body } = await gateway.api('GET', '/metrics');
  const shares = [...body.matchAll(/^esclusa_flag_percentage\{flag="(\w+)"\} (\d+)$/gm)];
  assert.deepEqual(shares.map(([, flag, share]) => `${flag} ${share}`).sort(), [
    'circuit_breaker 100',
    'llm_cache 0',
    'prometheus_metrics 100',
    'smart_next 10',
    'startup_validation 0',
    'structured_logging 100',
  ]);
});

test('metrics, cache and breakers follow their flags without a restart', async (t) => {
  const upstream = await startScriptedUpstream();
  t.after(() => upstream.close());
  const vendor = { kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-x' };
  const gateway = await startGateway({
    config: {
      providers: { vendor },
      models: { m: { targets: [{ provider: 'vendor', model: 'mock' }] } },
      resilience: {
        breaker: { failure_threshold: 2, minimum_calls: 2, open_seconds: 60 },
        retry: { attempts: 1 },
      },
    },
  });
  t.after(() => gateway.close());
  const set = (name: string, enabled: boolean) =>
    gateway.api('PUT', `/api/v1/flags/${name}`, { enabled });
  const ask = async () => {
    const answer = await gateway.chat({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
    await answer.text();
  };
  upstream.script('mock', 'status=500');

  await set('prometheus_metrics', false);
  assert.equal((await gateway.api('GET', '/metrics')).status, 404);
  await set('prometheus_metrics', true);
  assert.equal((await gateway.api('GET', '/metrics')).status, 200);

  await set('circuit_breaker', false);
  for (let at = 0; at < 5; at += 1) await ask();
  assert.equal(upstream.calls.length, 5, 'without breakers every call is made');
  await set('circuit_breaker', true);
  for (let at = 0; at < 5; at += 1) await ask();
  assert.equal(upstream.calls.length, 7, 'with breakers two failures open one');
});

test('the log follows its flag without a restart, and a later start finds it so', async (t) => {
  const folder = temporaryFolder(t);
  const start = async () => {
    const gateway = await startGatewayProcess(folder, { LOG_LEVEL: 'info' });
    const lines = linesOf(gateway.child);
    const said = async (form: 'json' | 'text') => {
      const seen = lines.length;
      await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST' });
      await until('a line', () => lines.length > seen, LIVE_MS);
      return lines.slice(seen).some((line) => line.startsWith('{') === (form === 'json'));
    };
    const set = (enabled: boolean) =>
      fetch(`${gateway.url}/api/v1/flags/structured_logging`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ enabled }),
      });
    return { gateway, said, set };
  };

  const first = await start();
  t.after(() => first.gateway.child.kill('SIGKILL'));
  assert.ok(await first.said('json'));
  assert.equal((await first.set(false)).status, 200);
  await until('lines of text', () => first.said('text'), LIVE_MS);
  await first.gateway.kill('SIGTERM');
  const second = await start();
  t.after(() => second.gateway.child.kill('SIGKILL'));
  assert.ok(await second.said('text'), 'what is stored holds from the first line of a request on');
  await second.set(true);
  await until('lines of JSON', () => second.said('json'), LIVE_MS);
  await second.gateway.kill('SIGTERM');
});

test('checks at start follow their flag from the next start on', async (t) => {
  const env = { ENABLE_STARTUP_VALIDATION: 'true' };
  const first = await startGateway({ env });
  const statusOf = async ({ api }: TestGateway) =>
    (await api('GET', '/health/startup')).body.status;
  const before = await statusOf(first);
  await first.api('PUT', '/api/v1/flags/startup_validation', { enabled: false });
  const second = await startGateway({ folder: first.folder, env });
  const off = await statusOf(second);
  await second.api('PUT', '/api/v1/flags/startup_validation', { enabled: true });
  await second.close();
  const third = await startGateway({ folder: first.folder, env });
  const on = await statusOf(third);
  t.after(async () => {
    await third.close();
    await first.close();
  });

  assert.deepEqual([before, off, on], ['healthy', 'skipped', 'healthy']);
});

/** What a process writes from now on, in whole lines. */
function linesOf({ stdout, stderr }: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const stream of [stdout, stderr]) {
    if (stream !== null) createInterface(stream).on('line', (line) => lines.push(line));
  }
  return lines;
}

test('who may not change flags is refused, and unknown ones are not there', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const { secret } = await gateway.key({ role: 'admin' });

  const refused = await gateway.api('PUT', '/api/v1/flags/x', { enabled: true }, secret);
  const unknown = await gateway.api('GET', '/api/v1/flags/x');
  const strange = await gateway.api('PUT', '/api/v1/flags/x', { share: 5 });
  const listed = await gateway.api('GET', '/api/v1/flags');
  const asked = await gateway.api('POST', '/api/v1/flags/llm_cache/evaluate', {
    tenant: 'default',
  });

  assert.deepEqual([refused.status, unknown.status, strange.status], [403, 404, 400]);
  assert.equal(listed.body.data.length, 5);
  assert.deepEqual([asked.body.value, asked.body.reason], [true, 'STATIC']);
});
