/**
 * Goal: several workers are one program: one port, one banner, one configuration, one set of
 * figures; a worker that is killed takes nothing with it but its own connections, and another
 * stands in its place. Method: the real program with `ESCLUSA_WORKERS`, a real Redis, one kept
 * connection to each worker.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';
import { lineToEach, openLine, type WorkerLine } from '../support/worker-lines.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));
const WORKERS = 3;
/** Those who share a Redis share it, also where their data is apart. */
const SECRET = { ESCLUSA_MASTER_SECRET: 'one-secret-for-all-of-these-programs' };

let folder: string;
let file: string;
let redis: TestRedis;
let gateway: GatewayProcess;
const endings: (() => Promise<void>)[] = [];
const opened: WorkerLine[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-workers-'));
  file = join(folder, 'esclusa.yaml');
  redis = await startRedis({ after: (hook) => endings.push(hook) });
  await configure({});
  gateway = await startGatewayProcess(join(folder, 'data'), {
    ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: String(WORKERS), ...SECRET },
  });
});

after(async () => {
  for (const line of opened) line.close();
  await gateway?.kill('SIGTERM');
  for (const end of endings) await end();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function configure(more: Readonly<Record<string, unknown>>): Promise<void> {
  const base = { drain_delay_seconds: 0, drain_seconds: 5, redis: { command_ms: 1000 } };
  return writeFile(file, stringify({ ...base, ...more }));
}

async function lines(): Promise<WorkerLine[]> {
  const found = await lineToEach(gateway.url, WORKERS);
  opened.push(...found);
  return found;
}

function chat(text: string, more: Readonly<Record<string, unknown>> = {}) {
  const messages = [{ role: 'user', content: text }];
  return { model: 'mock', max_tokens: 8, messages, ...more };
}

async function requestsTotal(line: WorkerLine): Promise<number> {
  const { text } = await line.ask('GET', '/metrics');
  const found = [...text.matchAll(/^esclusa_requests_total\{[^}]*\} (\d+)/gm)];
  return found.reduce((sum, [, value]) => sum + Number(value), 0);
}

test('/metrics counts for all workers, whichever is asked, and never falls', async () => {
  const all = await lines();
  const before = await requestsTotal(all[0] as WorkerLine);
  for (let i = 0; i < 10; i += 1) {
    for (const line of all) {
      const { status } = await line.ask('POST', '/v1/chat/completions', chat(`count ${i}`));
      assert.equal(status, 200);
    }
  }

  for (const line of all) assert.equal(await requestsTotal(line), before + 30);
  const [victim, witness] = all as [WorkerLine, WorkerLine];
  process.kill(victim.pid, 'SIGKILL');
  const next = await lines();

  assert.ok(next.every(({ pid }) => pid !== victim.pid));
  assert.equal(await requestsTotal(witness), before + 30);
  const { text } = await witness.ask('GET', '/metrics');
  assert.match(text, /^esclusa_worker_restarts_total 1$/m);
  assert.match(text, /^esclusa_config_generation 1$/m);
});

test('a key that is made or revoked at one worker is so at all within 2 s', async () => {
  const all = await lines();
  const [first] = all as [WorkerLine];
  const made = await first.ask('POST', '/api/v1/keys', { name: 'shared' });
  const { id, key } = made.body;
  const everywhere = (what: string, isSo: (status: number) => boolean) =>
    until(
      what,
      async () => {
        const answers = await Promise.all(
          all.map((line) => line.ask('POST', '/v1/chat/completions', chat('hi'), key)),
        );
        return answers.every(({ status }) => isSo(status));
      },
      2000,
    );

  await everywhere('it works everywhere', (status) => status === 200);
  await first.ask('DELETE', `/api/v1/keys/${id}`);
  // Where it was asked for too often before it was known, it is told to wait.
  await everywhere('it works nowhere', (status) => status === 401 || status === 429);
});

test('a reload is in force in all workers under one number, also in later ones', async () => {
  const all = await lines();
  const [first] = all as [WorkerLine];
  const number = async (line: WorkerLine) =>
    (await line.ask('POST', '/v1/chat/completions', chat('which'))).headers['x-esclusa-config'];
  await configure({ models: { added: { targets: [{ provider: 'mock', model: 'mock' }] } } });

  const reload = await first.ask('POST', '/api/v1/config/reload');
  assert.equal(reload.status, 200);
  const { generation } = (await first.ask('GET', '/api/v1/config')).body;
  assert.equal(await number(first), String(generation));
  await until('all have it', async () => {
    const numbers = await Promise.all(all.map(number));
    return numbers.every((each) => each === String(generation));
  });

  await writeFile(file, 'models: [');
  await until('all know that it is broken', async () => {
    const states = await Promise.all(all.map((line) => line.ask('GET', '/api/v1/config')));
    return states.every(({ body }) => body.last_reload?.outcome === 'rejected');
  });
  process.kill(first.pid, 'SIGKILL');
  const later = await lines();
  for (const line of later) {
    assert.equal(await number(line), String(generation));
    const asked = chat('added', { model: 'added' });
    assert.equal((await line.ask('POST', '/v1/chat/completions', asked)).status, 200);
  }
  await configure({});
  await until('the repaired file is in force', async () => {
    const numbers = await Promise.all(later.map(number));
    return numbers.every((each) => Number(each) > generation);
  });
});

test('a breaker that opened in one worker is seen and closed through every other', async () => {
  const all = await lines();
  const [failing, seeing, closing] = all as [WorkerLine, WorkerLine, WorkerLine];
  const model = 'mock/mock:status=500';
  const named = `/api/v1/circuit-breakers/${encodeURIComponent(model)}`;
  const told = async (line: WorkerLine) => (await line.ask('GET', named)).body;
  const statesIn = ({ workers }: { workers: { worker: string; state: string }[] }) =>
    Object.fromEntries(workers.map(({ worker, state }) => [worker, state]));

  await seeing.ask('POST', '/v1/chat/completions', chat('fails', { model }));
  for (let call = 0; call < 5; call += 1) {
    await failing.ask('POST', '/v1/chat/completions', chat('fails', { model }));
  }
  for (const line of all) {
    const { state, is_open, workers } = await told(line);
    assert.deepEqual([state, is_open], ['open', true], line.worker);
    const expected = { [failing.worker]: 'open', [seeing.worker]: 'closed' };
    assert.deepEqual(statesIn({ workers }), expected);
  }
  const reset = await closing.ask('POST', `${named}/reset`);

  assert.equal(reset.status, 200);
  assert.equal(reset.body.state, 'closed');
  for (const line of all) assert.equal((await told(line)).state, 'closed');
  const answer = await failing.ask('POST', '/v1/chat/completions', chat('fails', { model }));
  assert.equal(answer.status, 502, 'the provider is asked again');
});

test('a worker killed under load takes nothing with it that was acknowledged', async (t) => {
  const acknowledged: string[] = [];
  const failed: unknown[] = [];
  let isOver = false;
  const clients = Array.from({ length: 9 }, async (_, client) => {
    let line = await openLine(gateway.url);
    for (let i = 0; !isOver; i += 1) {
      try {
        const stream = i % 2 === 0;
        const text = `client ${client} asks ${i}`;
        const answer = await line.ask('POST', '/v1/chat/completions', chat(text, { stream }));
        if (answer.status === 200) acknowledged.push(String(answer.headers['x-request-id']));
        else failed.push(answer.status);
      } catch (error) {
        failed.push(error);
        line.close();
        line = await until('there is another', () => openLine(gateway.url).catch(() => null));
      }
    }
    line.close();
  });
  for (let kill = 1; kill <= 3; kill += 1) {
    const enough = acknowledged.length + 60;
    await until('some answers came', () => acknowledged.length >= enough);
    const [victim] = await lines();
    process.kill((victim as WorkerLine).pid, 'SIGKILL');
  }
  await until('some more came', () => acknowledged.length >= 400);
  isOver = true;
  await Promise.all(clients);

  t.diagnostic(`${acknowledged.length} acknowledged, ${failed.length} failed over 3 kills`);
  assert.ok(
    failed.every((why) => why instanceof Error),
    `only connections broke: ${failed}`,
  );
  assert.ok(failed.length <= 3 * 9, `${failed.length} failed`);
  const [line] = (await lines()) as [WorkerLine];
  for (const id of acknowledged) {
    await until(`${id} is in the ledger`, async () => {
      return (await line.ask('GET', `/api/v1/requests/${id}`)).status === 200;
    });
  }
});

test('SIGTERM lets the streams of all workers end, then all is gone with code 0', async () => {
  const other = await startGatewayProcess(join(folder, 'draining'), {
    ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '3', ...SECRET },
  });
  const all = await lineToEach(other.url, 3);
  const options = { model: 'mock/mock:tokens=20,tps=20', stream: true };
  const streams = all.map((line) =>
    line.ask('POST', '/v1/chat/completions', chat('slow', { ...options, max_tokens: 50 })),
  );
  await until('all stream', async () => {
    const line = await openLine(other.url);
    const { text } = await line.ask('GET', '/metrics');
    line.close();
    return /^esclusa_requests_in_flight 3$/m.test(text);
  });

  const gone = once(other.child, 'exit');
  other.child.kill('SIGTERM');
  const answers = await Promise.all(streams);
  const [code] = await gone;

  for (const { status, text } of answers) {
    assert.equal(status, 200);
    assert.match(text, /data: \[DONE\]\n\n$/);
  }
  assert.equal(code, 0);
  for (const { pid } of all) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('workers whose primary was killed let their streams end, and end themselves', async () => {
  const other = await startGatewayProcess(join(folder, 'orphans'), {
    ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '2', ...SECRET },
  });
  const all = await lineToEach(other.url, 2);
  const [line] = all as [WorkerLine];
  const asked = chat('slow', { model: 'mock/mock:tokens=20,tps=20', stream: true, max_tokens: 50 });
  const stream = line.ask('POST', '/v1/chat/completions', asked);
  await until('it streams', async () => {
    const { text } = await (all[1] as WorkerLine).ask('GET', '/metrics');
    return /^esclusa_requests_in_flight 1$/m.test(text);
  });

  await other.kill('SIGKILL');

  assert.match((await stream).text, /data: \[DONE\]\n\n$/);
  await until('both are gone', () => all.every(({ pid }) => !isAlive(pid)), 20_000);
});

test('a worker that waits for its port is gone with its primary', async () => {
  const env = { ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '2', ...SECRET };
  const dataDir = join(folder, 'orphaned-early');
  const primary = spawn(process.execPath, [COMMAND, 'start', '--data-dir', dataDir], {
    env: { ...process.env, ...env, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  primary.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const children = `/proc/${primary.pid}/task/${primary.pid}/children`;
  await until('the first worker has its journal', () => existsSync(join(dataDir, 'journal')));
  const started = (await readFile(children, 'utf8')).split(' ').filter(Boolean).map(Number);
  primary.kill('SIGSTOP');
  await until('it has made its checks', () => said.includes('start-up checks'));
  await until('it asks for its port, and waits', idleness(Number(started[0])));

  primary.kill('SIGKILL');

  await until('it is gone', () => !started.some(isAlive), 20_000);
});

/** Answers whether it used nothing of the processor while it was asked so many times. */
function idleness(pid: number): () => Promise<boolean> {
  let before = '';
  let times = 0;
  return async () => {
    const used = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ').slice(13, 15).join();
    times = used === before ? times + 1 : 0;
    before = used;
    return times >= 60;
  };
}

test('workers that die as fast as they start end the program with code 1', async () => {
  const dataDir = join(folder, 'looping');
  const other = await startGatewayProcess(dataDir, {
    ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '2', ...SECRET },
  });
  let said = '';
  other.child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const all = await lineToEach(other.url, 2);
  await rm(join(dataDir, 'journal'), { recursive: true });
  await writeFile(join(dataDir, 'journal'), 'in the way');

  const gone = once(other.child, 'exit');
  for (const { pid } of all) process.kill(pid, 'SIGKILL');
  const [code] = await gone;

  assert.equal(code, 1);
  assert.match(said, /The workers end as soon as they are started/);
});

test('what stops a start is said once, with code 1', async () => {
  const { port } = new URL(gateway.url);
  const env = { ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: '3', ...SECRET };
  const start = (more: Readonly<Record<string, string>>) =>
    startGatewayProcess(join(folder, 'refused'), { ...env, ...more });

  const taken = /^Error: ended with 1: [^\n]*127\.0\.0\.1:\d+ is taken[^\n]*\n$/;
  await assert.rejects(start({ PORT: port }), (error) => {
    const words = String(error).replace(/\{"level".*\n/g, '');
    assert.match(words, taken);
    return true;
  });
  await assert.rejects(start({ REDIS_URL: '' }), /3 workers need a Redis that they share/);
});

test('a SQLite file is refused while another host serves from the Redis', async (t) => {
  const shared = await startRedis(t);
  const start = () => startGatewayProcess(join(folder, 'host'), { REDIS_URL: shared.url });
  await shared.cli('set', 'esclusa:host', 'another', 'px', '60000');

  await assert.rejects(start(), /DATABASE_URL — names a SQLite file, and another host serves/);

  await shared.cli('del', 'esclusa:host');
  const gateway = await start();
  assert.notEqual(await shared.cli('get', 'esclusa:host'), 'another');
  const second = await start();
  await second.kill('SIGKILL');
  await gateway.kill('SIGKILL');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
