/**
 * Goal: what proves who somebody is, and what is said to a model, is in nothing that outlives a
 * request or is read by others. Method: the command as a process of its own at its most
 * talkative, on a real PostgreSQL and a real Redis, with a collector of traces; every secret and
 * every prompt is planted, used in every way, and then searched for in each place: as it is, as
 * hexadecimal digits, in base 64. What an answer says may be in the cache, and is: that shows
 * that the search finds. Attacks H1, H2 and H5.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Collector, startCollector } from '../support/otlp/collector.ts';
import { call, login, PASSWORD, register } from '../support/people.ts';
import { filesWith, holds } from '../support/planted.ts';
import { rolesOf } from '../support/postgres-gateway.ts';
import { PostgresServer, type TestDatabase } from '../support/postgres-server.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

/** None of the commands goes on for ever; one that does shows so. */
const COMMAND_MS = 60_000;
const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));

const CANARY: Readonly<Record<string, string>> = {
  providerKey: 'sk-canary-provider-5d11f0a2',
  masterSecret: 'canary-master-secret-0123456789-abcdef',
  redisPassword: 'canary-redis-password-771',
  databasePassword: 'p%40ss/word of-tests',
  collectorKey: 'canary-collector-key-3319',
  adminKey: ADMIN_KEY,
  adminPassword: 'Canary-Admin-Password-1',
  wrongKey: 'esk_canaryWrongKey00000000000000000000000000',
  wrongPassword: 'Canary-Wrong-Password-2',
  password: PASSWORD,
  cookie: 'canary-cookie-90aa12',
  inTheAddress: 'esk_canaryInTheAddress000000000000000000000',
  model: 'sk-proj-canary-as-a-model-9917',
  prompt: 'canary-prompt-Qx42-el-secreto',
  card: '4111 1111 1111 1111',
  email: 'canary.person@somewhere.example',
  vendorSecret: 'sk-proj-canary-of-the-vendor-1188',
};
/** What a client calls a model stands in its own rows, known or not. */
const IN_THE_LEDGER = ['model'];
const ANSWER = 'canary-answer-that-the-cache-may-keep';

let folder: string;
let dataDir: string;
let postgres: PostgresServer;
let database: TestDatabase;
let redis: TestRedis;
let collector: Collector;
let upstream: ScriptedUpstream;
let env: Readonly<Record<string, string>>;
let gateway: GatewayProcess;
let written = '';
const cleanups: (() => unknown)[] = [];
/** What was made on the way: keys, tokens, an invitation. */
const made: Record<string, string> = {};
const answers: { readonly what: string; readonly status: number; readonly body: string }[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-canaries-'));
  dataDir = join(folder, 'data');
  const password = CANARY.redisPassword as string;
  const settings = ['--rdbcompression', 'no'];
  const owner = { after: (hook: () => Promise<void>) => void cleanups.push(hook) };
  postgres = await PostgresServer.start();
  cleanups.push(() => postgres.stop());
  redis = await startRedis(owner, { password, settings });
  collector = await startCollector();
  cleanups.push(() => collector.close());
  upstream = await startScriptedUpstream();
  cleanups.push(() => upstream.close());
  database = await postgres.createDatabase();
  scriptUpstream();
  env = await environment();
  gateway = await startGatewayProcess(dataDir, env);
  cleanups.push(() => gateway.child.kill('SIGKILL'));
  for (const stream of [gateway.child.stdout, gateway.child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
  }
  await useEverything();
});

after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function scriptUpstream(): void {
  const { vendorSecret, providerKey, prompt } = CANARY;
  const message = `Incorrect key ${providerKey}; ours is ${vendorSecret}; you said: ${prompt}`;
  const whole = { id: 'c1', object: 'chat.completion', created: 1, model: 'far' };
  const said = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: ANSWER } };
  const usage = { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 };
  upstream.script('broken', { status: 500, body: JSON.stringify({ error: { message } }) });
  upstream.script('refusing', { status: 401, body: JSON.stringify({ error: { message } }) });
  upstream.script('garbled', { body: `{"choices":"${prompt}`, status: 200 });
  upstream.script('far', {
    ...{ status: 200, headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ ...whole, choices: [said], usage }),
  });
}

async function environment(): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, 'esclusa.yaml');
  const names = ['far', 'streamed', 'broken', 'refusing', 'garbled'];
  const alias = (model: string) => [model, { targets: [{ provider: 'up', model }] }] as const;
  const config = {
    providers: { up: { kind: 'openai-compatible', base_url: upstream.url } },
    models: Object.fromEntries(names.map(alias)),
    resilience: { retry: { attempts: 1 }, breaker: { failure_threshold: 1000 } },
    tracing: { interval_ms: 10 },
    drain_delay_seconds: 0,
  };
  const up = { ...config.providers.up, api_key: CANARY.providerKey };
  await writeFile(file, stringify({ ...config, providers: { up } }));
  return {
    ...{ ESCLUSA_CONFIG: file, LOG_LEVEL: 'debug', ESCLUSA_DATA_DIR: dataDir },
    ESCLUSA_MASTER_SECRET: CANARY.masterSecret as string,
    STARTUP_MODE: 'degraded', // a busy machine may be slower than its checks allow
    ESCLUSA_ADMIN_EMAIL: 'admin@example.com',
    ESCLUSA_ADMIN_PASSWORD: CANARY.adminPassword as string,
    ...rolesOf(database),
    REDIS_URL: redis.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${CANARY.collectorKey}`,
  };
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(what: string, { path, method = 'POST', body, headers }: Sent): Promise<void> {
  const answer = await fetch(`${gateway.url}${path ?? '/v1/chat/completions'}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      cookie: `session=${CANARY.cookie}`,
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  answers.push({ what, status: answer.status, body: await answer.text() });
}

function chat(model: string, more: object = {}): string {
  const content = `${CANARY.prompt} ${CANARY.card} ${CANARY.email}`;
  return JSON.stringify({ model, messages: [{ role: 'user', content }], ...more });
}

async function useEverything(): Promise<void> {
  await callModels();
  await refuseModels();
  await signIn();
}

async function callModels(): Promise<void> {
  await send('a stored answer', { body: chat('far', { temperature: 0 }) });
  await send('the same from the cache', { body: chat('far', { temperature: 0 }) });
  await send('a stream', { body: chat('streamed', { temperature: 0, stream: true }) });
  await send('a repeatable call', {
    body: chat('far'),
    headers: { 'idempotency-key': 'canary-hunt-1' },
  });
  await send('a named person', { body: chat('far', { user: CANARY.email }) });
  for (const model of ['broken', 'refusing', 'garbled']) {
    await send(`a vendor that is ${model}`, { body: chat(model) });
    await send(`a stream of one that is ${model}`, { body: chat(model, { stream: true }) });
  }
  const text = `${CANARY.prompt} ${CANARY.card}`;
  await send('embeddings', {
    ...{ path: '/v1/embeddings', body: JSON.stringify({ model: 'streamed', input: text }) },
  });
  await send('a message', {
    path: '/v1/messages',
    body: JSON.stringify({
      ...{ model: 'broken', max_tokens: 10, system: text },
      messages: [{ role: 'user', content: text }],
    }),
  });
  await send('contents', {
    path: '/v1beta/models/broken:generateContent',
    body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text }] }] }),
  });
  await send('a response that is not to be kept', {
    path: '/v1/responses',
    body: JSON.stringify({ model: 'streamed', input: text, store: false }),
  });
}

async function refuseModels(): Promise<void> {
  const { wrongKey, inTheAddress, prompt, model } = CANARY;
  await send('an unknown model', { body: chat(model as string) });
  await send('no JSON', { body: `{"model":"far","messages":[{"content":"${prompt}` });
  await send('a wrong type', { body: chat('far', { temperature: prompt }) });
  await send('a wrong member', { body: JSON.stringify({ model: 'far', messages: prompt }) });
  await send('a wrong path', { path: `/v1/${prompt}`, body: chat('far') });
  await send('a wrong method', { method: 'PUT', body: chat('far') });
  await send('a wrong key', {
    body: chat('far'),
    headers: { authorization: `Bearer ${wrongKey}` },
  });
  for (const name of ['x-api-key', 'api-key', 'x-goog-api-key']) {
    await send(`two keys, one as ${name}`, {
      ...{ body: chat('far'), headers: { [name]: wrongKey as string } },
    });
  }
  await send('a key in the address', {
    ...{ path: `/v1/chat/completions?key=${inTheAddress}`, body: chat('far') },
  });
  await send('a key in the address of the control plane', {
    ...{ path: `/api/v1/keys?api_key=${inTheAddress}`, method: 'GET' },
  });
}

async function signIn(): Promise<void> {
  const { url } = gateway;
  await register(url, 'canary');
  const wrong = await login(url, 'canary', CANARY.wrongPassword);
  const { body: session } = await login(url, 'canary');
  made.accessToken = session.access_token;
  made.refreshToken = session.refresh_token;
  const body = { name: 'made' };
  const key = await call(url, 'POST', '/api/v1/keys', { token: ADMIN_KEY, body });
  made.key = key.body.key;
  const token = made.accessToken as string;
  const refused = await call(url, 'GET', '/api/v1/keys', { token: `${token.slice(0, -4)}AAAA` });
  const used = await call(url, 'GET', '/api/v1/auth/me', { token });
  await send('a key that was made', {
    ...{ body: chat('far'), headers: { authorization: `Bearer ${made.key}` } },
  });
  assert.deepEqual([wrong.status, refused.status, used.status], [401, 401, 200]);
}

/** The names of what a text holds, but for what it may. */
function found(text: string, may: readonly string[] = []): string[] {
  return Object.entries({ ...CANARY, ...made }).flatMap(([name, planted]) =>
    !may.includes(name) && holds(text, planted) ? [name] : [],
  );
}

test('every way was gone, as far as it was to go', () => {
  const statuses = Object.fromEntries(answers.map(({ what, status }) => [what, status]));
  const ok = Object.entries(statuses).filter(([, status]) => status === 200);

  assert.equal(statuses['a stored answer'], 200);
  assert.equal(statuses['the same from the cache'], 200);
  assert.equal(statuses['a vendor that is refusing'], 502);
  assert.equal(statuses['an unknown model'], 404);
  assert.equal(statuses['a wrong key'], 401);
  assert.ok(ok.length >= 7 && answers.length - ok.length >= 14, JSON.stringify(statuses));
});

test('no error tells a secret, and none tells a prompt', () => {
  for (const { what, status, body } of answers) {
    if (status === 200) continue;
    // A vendor may say to its client what the client said; nobody else hears it.
    const may = body.includes('you said') ? ['model', 'prompt'] : ['model'];
    assert.deepEqual(found(body, may), [], `${what}: ${body}`);
  }
});

test('the log tells none of it', async () => {
  const told = ['"model":"streamed"', '"event":"security"', '"error_code":"upstream_failed"'];
  await until('all of it is in the log', () => told.every((text) => written.includes(text)));

  assert.deepEqual(found(written), []);
  assert.ok(!written.includes(ANSWER));
});

test('the metrics tell none of it', async () => {
  const { body } = await call(gateway.url, 'GET', '/metrics', { token: ADMIN_KEY });

  assert.match(String(body), /esclusa_requests_total\{/);
  assert.deepEqual(found(String(body)), []);
});

test('the traces tell none of it', async () => {
  const spans = await until('the spans have come', () =>
    collector.spans.some(({ attributes }) => attributes['error.type'] === 'model_not_found')
      ? collector.spans
      : null,
  );
  const { deliveries } = collector;

  assert.ok(spans.length >= 20, `${spans.length} spans`);
  assert.equal(deliveries[0]?.headers.authorization, CANARY.collectorKey);
  for (const { body } of deliveries) {
    assert.deepEqual(found(body.toString('latin1')), []);
    assert.ok(!body.includes(ANSWER));
  }
});

test('what the control plane shows tells none of it', async () => {
  const paths = ['config', 'providers', 'requests', 'audit', 'keys', 'circuit-breakers', 'health'];

  for (const path of paths) {
    const { status, body } = await call(gateway.url, 'GET', `/api/v1/${path}`, {
      token: ADMIN_KEY,
    });
    assert.equal(status, 200, path);
    assert.deepEqual(found(JSON.stringify(body), IN_THE_LEDGER), [], path);
  }
});

test('a dump of PostgreSQL holds none of it', async () => {
  const rows = await until('the ledger is written', async () => {
    const sql = 'select count(*)::int as n from requests';
    const [row] = await postgres.query<{ n: number }>(database.name, sql);
    return row !== undefined && row.n >= 15 ? row.n : null;
  });
  const dump = postgres.dump(database.name);

  assert.ok(rows >= 15);
  assert.match(dump, /COPY public\.\w+/);
  assert.ok(holds(dump, 'canary@uni.example'), 'the search finds what a table holds');
  assert.deepEqual(found(dump, IN_THE_LEDGER), []);
  assert.ok(!holds(dump, ANSWER));
});

test('Redis holds none of it, beside the answers of its cache', async () => {
  await redis.cli('save');

  assert.ok(filesWith(redis.folder, ANSWER).length > 0, 'the cache keeps answers');
  for (const [name, planted] of Object.entries({ ...CANARY, ...made })) {
    const files = filesWith(redis.folder, planted).filter((file) => file.endsWith('.rdb'));
    assert.deepEqual(files, [], name);
  }
});

test('no file of the installation holds any of it, while it runs and afterwards', async () => {
  const look = (): void => {
    for (const [name, planted] of Object.entries({ ...CANARY, ...made })) {
      if (!IN_THE_LEDGER.includes(name)) assert.deepEqual(filesWith(dataDir, planted), [], name);
    }
  };
  look();
  await gateway.kill('SIGTERM');
  look();

  assert.deepEqual(found(written), []);
});

test('the checks of an installation and its configuration tell none of it', async () => {
  upstream.script('any', { status: 401, body: `{"error":{"message":"${CANARY.vendorSecret}"}}` });
  const wrongDatabase = { DATABASE_URL: database.runtime.replace('esclusa_app', 'nobody') };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['doctor', {}],
    ['doctor --json', {}],
    ['doctor --production', {}],
    ['config show', {}],
    ['config show --json', {}],
    ['config check', { REDIS_URL: `redis//${CANARY.redisPassword}` }],
    ['start', wrongDatabase],
    [
      'start --json',
      { ...wrongDatabase, OTEL_EXPORTER_OTLP_ENDPOINT: `http://me:${CANARY.collectorKey}@there` },
    ],
  ];

  for (const [words, more] of cases) {
    const said = await run(words.split(' '), { ...env, ...more });
    assert.ok(said.length > 0, words);
    assert.deepEqual(found(said), [], `${words}: ${said}`);
  }
});

/** Everything a command says until it ends, on both outputs. */
function run(words: readonly string[], more: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...words], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ESCLUSA_ADMIN_KEY: ADMIN_KEY, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_MS,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === null) reject(new Error(`${words.join(' ')} did not end: ${said}`));
      else resolve(said);
    });
  });
}
