/**
 * Goal: a start that cannot work ends at once and names what is wrong; one that can work starts
 * and says what it has to do without. Method: the whole program, once as a process of its own,
 * with scripted vendors, a real Redis and a storage of objects over real sockets.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/afterwards.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../support/gateway.ts';
import { freePort, startRedis } from '../support/redis-server.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));
const CHECKED = { ENABLE_STARTUP_VALIDATION: 'true' };
const SIGNED = { access_key_id: 'AKID', secret_access_key: 'secret', bucket: 'documents' };

/** Runs `esclusa start` until it ends by itself. */
async function endedStart(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [COMMAND, 'start', '--port', '0'], {
    env: { PATH: process.env.PATH ?? '', LANG: 'C', ESCLUSA_DATA_DIR: '/nowhere/data', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let err = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, err };
}

async function started(t: TestContext, options: GatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startGateway({ ...options, env: { ...CHECKED, ...options.env } });
  t.after(() => gateway.close());
  return gateway;
}

async function upstream(t: TestContext): Promise<ScriptedUpstream> {
  const vendor = await startScriptedUpstream();
  t.after(() => vendor.close());
  return vendor;
}

/** A storage that answers every request with this status (null: never), and remembers them. */
async function storage(t: TestContext, status: number | null) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (status !== null) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}

function vendor(url: string, more: object = {}) {
  return { kind: 'openai-compatible', base_url: url, api_key: 'sk-x', ...more };
}

test('a missing key ends the start with 1 and a summary that names the variable', async () => {
  const { exitCode, err } = await endedStart({ LLM_PROVIDER: 'openai' });

  assert.equal(exitCode, 1);
  assert.match(err, /environment_variables: OPENAI_API_KEY/);
  assert.match(err, /1 checks: 0 passed, 0 with a warning, 1 critical/);
  assert.match(err, /OPENAI_API_KEY — is missing, and LLM_PROVIDER names openai/);
});

test('a file that is no YAML is named by the summary', async (t) => {
  const file = join(temporaryFolder(t), 'broken.yaml');
  await writeFile(file, 'providers: [\n');

  const { exitCode, err } = await endedStart({ ESCLUSA_CONFIG: file });

  assert.equal(exitCode, 1);
  assert.ok(err.includes(`environment_variables: ${file}`), err);
});

test('a database that is away ends the start with 1 in five seconds, and is named', async (t) => {
  const DATABASE_URL = `postgres://esclusa:x@127.0.0.1:${await freePort()}/esclusa`;

  const { exitCode, err } = await endedStart({
    ...{ DATABASE_URL, ESCLUSA_DATA_DIR: temporaryFolder(t), LANG: 'es' },
  });

  assert.equal(exitCode, 1);
  assert.match(err, /database_connection: The database cannot be used/);
  assert.match(err, /DATABASE_URL/);
  assert.match(err, /^Error: No arranca: database_connection\./m);
  // By its own clock: a busy machine may take longer to run Node at all.
  const [, tookMs] = /críticas \((\d+) ms\)/.exec(err) ?? [];
  assert(Number(tookMs) < 5000, `it took ${tookMs} ms`);
});

test('storage that is away is one warning, and the rest starts', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`;

  const gateway = await started(t, { config: { object_storage: { ...SIGNED, url } } });

  const { status, body } = await gateway.api('GET', '/health/startup');
  assert.equal(status, 200);
  assert.deepEqual(
    [body.status, body.total_checks, body.passed, body.warnings, body.critical_failures],
    ['healthy', 3, 2, 1, 0],
  );
  const [bad] = body.results.filter((result: { status: string }) => result.status === 'warning');
  assert.equal(bad.name, 'object_storage');
  assert.equal(bad.critical, false);
  const ready = await gateway.api('GET', '/health/ready');
  assert.deepEqual([ready.status, ready.body.degraded], [200, ['object-storage']]);
});

test('the bucket is asked for by a signed request, or with the key of Supabase', async (t) => {
  const s3 = await storage(t, 200);
  const supabase = await storage(t, 200);

  const signed = await started(t, { config: { object_storage: { ...SIGNED, url: s3.url } } });
  const keyed = await started(t, {
    env: {
      SUPABASE_URL: supabase.url,
      SUPABASE_BACKEND_API_KEY: 'service-key',
      SUPABASE_PROVIDERS_BUCKET: 'suppliers',
    },
  });

  for (const gateway of [signed, keyed]) {
    assert.equal((await gateway.api('GET', '/health/startup')).body.warnings, 0);
  }
  const [head] = s3.requests;
  assert.deepEqual([head?.method, head?.url], ['HEAD', '/documents']);
  assert.match(String(head?.headers.authorization), /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us/);
  const [get] = supabase.requests;
  assert.deepEqual([get?.method, get?.url], ['GET', '/storage/v1/bucket/suppliers']);
  assert.equal(get?.headers.authorization, 'Bearer service-key');
});

for (const [status, said] of [
  [404, /there is no bucket documents/],
  [403, /answers 403/],
] as const) {
  test(`a storage that answers ${status} is a warning that says why`, async (t) => {
    const { url } = await storage(t, status);

    const gateway = await started(t, { config: { object_storage: { ...SIGNED, url } } });

    const { body } = await gateway.api('GET', '/health/startup');
    assert.match(body.results[2].message, said);
    assert.equal(body.results[2].status, 'warning');
  });
}

test('a refused key of the only vendor ends the start; one of two is a warning', async (t) => {
  const refusing = await storage(t, 401);
  const good = await storage(t, 200);
  const bad = vendor(refusing.url);

  const alone = started(t, { config: { providers: { bad } } });
  await assert.rejects(alone, { name: 'StartupValidationError' });
  const gateway = await started(t, { config: { providers: { bad, good: vendor(good.url) } } });

  const { body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual([body.warnings, body.critical_failures], [1, 0]);
});

test('a vendor that cannot be reached never ends a start', async (t) => {
  const base_url = `http://127.0.0.1:${await freePort()}/v1`;

  const gateway = await started(t, { config: { providers: { only: vendor(base_url) } } });

  const { body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual([body.status, body.warnings], ['healthy', 1]);
  assert.match(body.results[2].message, /cannot be reached/);
});

test('a vendor that takes the question and never answers ends no start either', async (t) => {
  const silent = await storage(t, null);

  const gateway = await started(t, { config: { providers: { only: vendor(silent.url) } } });

  const { body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual([body.status, body.warnings], ['healthy', 1]);
  assert.ok(body.total_duration_ms < 5000);
});

test('keys that are all refused end a start, of one vendor and of several', async (t) => {
  const refusing = await storage(t, 401);
  const good = await storage(t, 200);
  const twice = vendor(refusing.url, { api_keys: ['sk-y'] });
  const other = vendor(`${refusing.url}/2`);

  for (const providers of [{ twice }, { twice, other }]) {
    await assert.rejects(started(t, { config: { providers } }), { name: 'StartupValidationError' });
  }
  const gateway = await started(t, {
    config: { providers: { twice, other, good: vendor(good.url) } },
  });

  const { body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual([body.warnings, body.critical_failures], [3, 0]);
});

test('degraded, a critical failure is told and does not end the start', async (t) => {
  const refusing = await storage(t, 401);

  const gateway = await started(t, {
    config: { providers: { bad: vendor(refusing.url) } },
    env: { STARTUP_MODE: 'degraded' },
  });

  const { status, body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual([status, body.status, body.critical_failures], [200, 'unhealthy', 1]);
});

test('a warning ends the start where warnings are asked to count', async (t) => {
  const base_url = `http://127.0.0.1:${await freePort()}/v1`;
  const config = { providers: { only: vendor(base_url) } };

  const strict = started(t, { config, env: { STARTUP_FAIL_ON_WARNING: 'true' } });

  await assert.rejects(strict, { name: 'StartupValidationError' });
});

test('switched off, nothing is asked and nothing is said to be healthy', async (t) => {
  const only = await upstream(t);

  const gateway = await startGateway({
    config: { providers: { only: vendor(only.url) } },
    env: { ENABLE_STARTUP_VALIDATION: 'false' },
  });
  t.after(() => gateway.close());

  const { status, body } = await gateway.api('GET', '/health/startup');
  assert.deepEqual(
    [status, body.status, body.reason, body.results],
    [200, 'skipped', 'feature_flag_disabled', []],
  );
  assert.equal(only.connections.length, 0);
});

test('vendors are asked once for all processes that share a Redis, at no cost', async (t) => {
  const asked = await storage(t, 200);
  const redis = await startRedis(t);
  const config = { providers: { only: vendor(asked.url), other: vendor(`${asked.url}/2`) } };
  const env = { REDIS_URL: redis.url, ESCLUSA_MASTER_SECRET: 'm'.repeat(32) };

  // One after the other: on a busy machine a process does not wait long for another's answer.
  const fleet: TestGateway[] = [];
  for (let at = 0; at < 3; at += 1) fleet.push(await started(t, { config, env }));

  const paths = asked.requests.map(({ method, url }) => `${method} ${url}`).sort();
  assert.deepEqual(paths, ['GET /2/models', 'GET /models']);
  for (const gateway of fleet) {
    assert.equal((await gateway.api('GET', '/health/startup')).body.passed, 5);
  }
});

test('a Redis that is away is a warning with a fallback', async (t) => {
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;

  const gateway = await started(t, { env: { REDIS_URL } });

  const { body } = await gateway.api('GET', '/health/startup');
  const redis = body.results.at(-1);
  assert.deepEqual([redis.name, redis.status], ['redis_connection', 'warning']);
  assert.match(redis.message, /using local fallback/);
});

test('who has no credential sees no messages; who measures sees times and results', async (t) => {
  const gateway = await started(t);

  const open = await fetch(`${gateway.url}/health/startup`);
  const body = (await open.json()) as { results: object[] };
  const metrics = await gateway.api('GET', '/metrics');

  assert.deepEqual(Object.keys(body.results[0] ?? {}).sort(), [
    ...['critical', 'duration_ms', 'name', 'status'],
  ]);
  assert.match(
    metrics.body,
    /^startup_check_status\{check="database_connection",status="pass"\} 1/m,
  );
  assert.match(metrics.body, /^startup_check_duration_seconds\{check="database_connection"\} \d/m);
});
