/**
 * Goal: several processes are one cache: identical requests at once are one call of the
 * provider, whichever process they reach, also when they stream, and when the process that
 * makes the call is killed. Method: three real processes over one Redis and one SQLite file, a
 * provider over real sockets.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { stringify } from 'yaml';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const PROCESSES = 3;
const REQUESTS = 1000;

let folder: string;
let redis: TestRedis;
let upstream: ScriptedUpstream;
let processes: GatewayProcess[];
const endings: (() => Promise<void>)[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

async function start(): Promise<GatewayProcess> {
  return startGatewayProcess(join(folder, 'data'), {
    ESCLUSA_CONFIG: join(folder, 'esclusa.yaml'),
    REDIS_URL: redis.url,
  });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-fleet-'));
  redis = await startRedis({ after: (hook) => endings.push(hook) });
  upstream = await startScriptedUpstream();
  const config = {
    providers: {
      up: { kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-up-0123456789' },
    },
    models: { shared: { targets: [{ provider: 'up', model: 'mock' }] } },
    // A busy machine must not be taken for a slow Redis.
    redis: { command_ms: 1000 },
  };
  await writeFile(join(folder, 'esclusa.yaml'), stringify(config));
  processes = [await start()];
  processes.push(...(await Promise.all([start(), start()])));
  await Promise.all(processes.map((one) => untilShared(one)));
});

after(async () => {
  agent.destroy();
  await Promise.all(processes.map((one) => one.kill('SIGKILL')));
  await upstream.close();
  for (const end of endings) await end();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => upstream.forget());

/** Until the shared store answers in a process: only then does it take part. */
async function untilShared({ url }: GatewayProcess): Promise<void> {
  await until('the process has its Redis', async () => {
    const metrics = await get(`${url}/metrics`);
    return /redis_up\{store="redis-cache"\} 1/.test(metrics);
  });
}

interface Answer {
  readonly status: number;
  readonly cache: string;
  readonly worker: string;
  readonly body: string;
  /** The connection broke before the end. */
  readonly isCut: boolean;
}

function ask(url: string, content: string, stream: boolean): Promise<Answer> {
  const body = JSON.stringify({
    model: 'shared',
    temperature: 0,
    stream,
    messages: [{ role: 'user', content }],
  });
  return new Promise((resolve) => {
    let text = '';
    const cut = { status: 0, cache: '', worker: '', body: text, isCut: true };
    const asking = request(
      `${url}/v1/chat/completions`,
      {
        method: 'POST',
        agent,
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      },
      (response) => {
        const { headers, statusCode = 0 } = response;
        const told = {
          status: statusCode,
          cache: String(headers['x-cache']),
          worker: String(headers['x-esclusa-worker']),
        };
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', () => undefined);
        response.on('close', () =>
          resolve({ ...told, body: text.replace(/^:.*\n\n/gm, ''), isCut: !response.complete }),
        );
      },
    );
    asking.on('error', () => resolve(cut));
    asking.end(body);
  });
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  return response.text();
}

function count(answers: readonly Answer[], cache: string): number {
  return answers.filter((one) => one.cache === cache).length;
}

test('the row of an answer is found through every process at once', async () => {
  const [first, ...others] = processes;
  const authorization = `Bearer ${ADMIN_KEY}`;
  const response = await fetch(`${first?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'shared', messages: [{ role: 'user', content: 'a row' }] }),
  });
  await response.arrayBuffer();
  const id = response.headers.get('x-request-id');

  const rows = await Promise.all(
    others.map(({ url }) => fetch(`${url}/api/v1/requests/${id}`, { headers: { authorization } })),
  );

  assert.deepEqual(
    rows.map((row) => row.status),
    [200, 200],
  );
});

for (const stream of [false, true]) {
  const what = stream ? 'streamed' : 'plain';

  test(`${REQUESTS} equal ${what} requests over ${PROCESSES} processes are one call`, async () => {
    upstream.script('mock', stream ? 'ttft=1500ms,tps=60' : 'latency=2500ms');

    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, (_, i) =>
        ask(processes[i % PROCESSES]?.url ?? '', `together ${what}`, stream),
      ),
    );

    assert.equal(upstream.calls.length, 1);
    assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
    assert.ok(answers.every(({ status, isCut }) => status === 200 && !isCut));
    assert.equal(new Set(answers.map(({ worker }) => worker)).size, PROCESSES);
    assert.equal(count(answers, 'MISS'), 1);
    assert.equal(count(answers, 'JOIN') + count(answers, 'HIT'), REQUESTS - 1);
    if (stream) assert.match(answers[0]?.body ?? '', /data: \[DONE\]\n\n$/);
  });
}

test('what is stored is a hit in every process, and a purge is seen within 2 s', async () => {
  await ask(processes[0]?.url ?? '', 'kept', true);
  await until('it is in the shared cache', async () => {
    const { cache } = await ask(processes[1]?.url ?? '', 'kept', true);
    return cache === 'HIT';
  });
  const hits = await Promise.all(processes.map(({ url }) => ask(url, 'kept', true)));
  assert.deepEqual(
    hits.map(({ cache }) => cache),
    ['HIT', 'HIT', 'HIT'],
  );
  assert.equal(upstream.calls.length, 1);

  const purged = await fetch(`${processes[2]?.url}/api/v1/cache`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });

  assert.equal(purged.status, 200);
  await until(
    'no memory has it any more',
    async () => (await ask(processes[0]?.url ?? '', 'kept', true)).cache !== 'HIT',
    2000,
  );
});

for (const stream of [false, true]) {
  const what = stream ? 'streamed' : 'plain';

  test(`a ${what} call whose process is killed is made once more, nobody hangs`, async () => {
    upstream.script('mock', stream ? 'ttft=200ms,tps=10' : 'latency=3000ms');
    const [leader, ...others] = processes;
    assert.ok(leader !== undefined);
    const content = `killed ${what}`;
    const lost = Array.from({ length: 10 }, () => ask(leader.url, content, stream));
    const call = await upstream.waitForCall(1);
    const followers = Array.from({ length: 200 }, (_, i) =>
      ask(others[i % others.length]?.url ?? '', content, stream),
    );
    await until('the leader is followed', async () => {
      const metrics = await Promise.all(others.map(({ url }) => get(`${url}/metrics`)));
      return metrics.every((text) => /operation="flight_read"/.test(text));
    });
    upstream.script('mock', stream ? 'ttft=200ms,tps=50' : 'latency=500ms');

    await leader.kill('SIGKILL');

    const ends = await Promise.all(followers);
    for (const { isCut } of await Promise.all(lost)) assert.equal(isCut, true);
    assert.equal(upstream.calls.length, 2, `after call ${call.number} there was one more`);
    for (const { status, body, isCut } of ends) {
      assert.equal(isCut, false);
      assert.equal(status, 200);
      if (stream) assert.match(body, /data: \[DONE\]\n\n$|shared_call_lost/);
    }
    if (!stream) assert.equal(new Set(ends.map(({ body }) => body)).size, 1);
    processes = [await start(), ...others];
    await untilShared(processes[0] as GatewayProcess);
  });
}
