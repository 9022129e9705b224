/**
 * Goal: with several workers of one program, on either database, a flag is the same for a caller
 * whichever worker is asked, within five seconds of a change by API or command; and a plan is
 * carried out once: what fails is taken back, what is healthy reaches everybody, one entry in the
 * audit log for each step. Method: the real program with three workers over a real Redis, one
 * kept connection to each, two scripted upstreams.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { rolesOf } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { startRedis } from '../support/redis-server.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { lineToEach, type WorkerLine } from '../support/worker-lines.ts';

const WORKERS = 3;
const KEYS = 8;
const LIVE_MS = 5000;
/** Every fifth call of the new arm fails. */
const FAILS = 5;
/** More than any plan here asks. */
const CALLS_MAX = 3000;
const COMMAND = join(import.meta.dirname, '../../../bin/esclusa.mjs');
const SECRET = 'a-secret-that-all-who-share-a-database-have';
const FLAG = '/api/v1/flags/smart_next';
const STEPS = [50, 100].map((percentage) => ({ percentage, soak_seconds: 1, min_samples: 10 }));
const PLAN = { steps: STEPS, guards: { error_rate: 0.1, latency_ratio: null } };

type Env = Readonly<Record<string, string>>;

const postgres = await postgresForFile();

const ENGINES: Readonly<Record<string, () => Promise<Env>>> = {
  SQLite: async () => ({}),
  async PostgreSQL() {
    return {
      ...rolesOf(await postgres.database()),
      ...{ DB_POOL_SIZE: '2', DB_MAX_OVERFLOW: '1', DB_ANALYTICS_POOL_SIZE: '1' },
    };
  },
};

interface Caller {
  readonly id: string;
  readonly secret: string;
}

interface Scene {
  readonly lines: readonly WorkerLine[];
  readonly next: ScriptedUpstream;
  readonly keys: readonly Caller[];
  /** Runs `esclusa` beside the program. */
  run(...words: readonly string[]): Promise<void>;
}

async function scene(t: TestContext, engine: Env): Promise<Scene> {
  const [redis, old, next] = await Promise.all([
    startRedis(t),
    startScriptedUpstream(),
    startScriptedUpstream(),
  ]);
  t.after(() => Promise.all([old.close(), next.close()]));
  const folder = temporaryFolder(t);
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, stringify(configuration(old.url, next.url)));
  const env = {
    ...{ ESCLUSA_CONFIG: file, REDIS_URL: redis.url, ESCLUSA_WORKERS: String(WORKERS) },
    ...{ ESCLUSA_MASTER_SECRET: SECRET, ESCLUSA_DATA_DIR: folder, ...engine },
  };
  const gateway = await startGatewayProcess(folder, env);
  t.after(() => gateway.kill('SIGTERM'));
  const lines = await lineToEach(gateway.url, WORKERS);
  t.after(() => lines.map((line) => line.close()));
  const keys: Caller[] = [];
  for (let at = 0; at < KEYS; at += 1) {
    const { body } = await lineAt(lines, at).ask('POST', '/api/v1/keys', { name: `key ${at}` });
    keys.push({ id: body.id, secret: body.key });
  }
  await lineAt(lines, 0).ask('PUT', FLAG, { by: 'user', percentage: 0 });
  await until('every worker to know every key', () => knownToAll(lines, keys), LIVE_MS);
  return {
    ...{ lines, next, keys },
    async run(...words) {
      const command = [COMMAND, ...words, '--json', '--data-dir', folder];
      await promisify(execFile)(process.execPath, command, { env: { ...process.env, ...env } });
    },
  };
}

function configuration(old: string, next: string) {
  const vendor = (base_url: string) => ({ kind: 'openai-compatible', base_url, api_key: 'sk-x' });
  const targets = (provider: string) => [{ provider, model: 'mock' }];
  return {
    providers: { old: vendor(old), next: vendor(next) },
    models: {
      smart: {
        targets: targets('old'),
        experiment: { flag: 'smart_next', candidate: 'smart-v2' },
      },
      'smart-v2': { targets: targets('next') },
    },
    resilience: { breaker: { failure_threshold: 10_000 }, retry: { attempts: 1 } },
    flags: { rollout_seconds: 0.2 },
    redis: { command_ms: 1000 },
    drain_delay_seconds: 0,
  };
}

function lineAt(lines: readonly WorkerLine[], at: number): WorkerLine {
  return lines[at % lines.length] as WorkerLine;
}

async function knownToAll(lines: readonly WorkerLine[], keys: readonly Caller[]) {
  const answers = lines.flatMap((line) =>
    keys.map(({ secret }) => line.ask('GET', '/v1/models', undefined, secret)),
  );
  return (await Promise.all(answers)).every(({ status }) => status === 200);
}

let asked = 0;

/** Whether the new arm answers a caller at a worker. */
async function ask(line: WorkerLine, { secret }: Caller): Promise<boolean> {
  asked += 1;
  const body = { model: 'smart', messages: [{ role: 'user', content: `question ${asked}` }] };
  const { headers } = await line.ask('POST', '/v1/chat/completions', body, secret);
  return headers['x-esclusa-arm'] === 'smart_next/candidate';
}

/** For whom the flag is on, as one worker knows it. */
async function shareAt(line: WorkerLine, keys: readonly Caller[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { id } of keys) {
    const question = { tenant: 'default', user: id };
    const { body } = await line.ask('POST', `${FLAG}/evaluate`, question);
    if (body.value) found.push(id);
  }
  return found;
}

/** The share on which all workers agree, in time; then each answers callers accordingly. */
async function agreed({ lines, keys }: Scene, isRight: (share: readonly string[]) => boolean) {
  const share = await until(
    'all workers to agree',
    async () => {
      const all = await Promise.all(lines.map((line) => shareAt(line, keys)));
      const [first = []] = all;
      return isRight(first) && all.every((each) => each.join() === first.join()) ? first : null;
    },
    LIVE_MS,
  );
  for (const line of lines) {
    for (const key of keys) assert.equal(await ask(line, key), share.includes(key.id));
  }
  return share;
}

/** Calls of every key at a worker of its own, until the plan has ended. */
function outcomeOf({ lines, keys }: Scene) {
  return until(
    'the plan to end',
    async () => {
      for (const [at, key] of keys.entries()) await ask(lineAt(lines, at), key);
      const { body } = await lineAt(lines, asked).ask('GET', FLAG);
      return body.rollout.status === 'running' ? null : body;
    },
    30_000,
  );
}

async function decisions({ lines }: Scene, action: string): Promise<number> {
  const { body } = await lineAt(lines, 0).ask('GET', '/api/v1/audit?limit=100');
  const found = body.data.filter((entry: { action: string }) => entry.action === action);
  const { text } = await lineAt(lines, 1).ask('GET', '/metrics');
  const decision = action.replace('flags.', '');
  const line = new RegExp(
    `^esclusa_rollout_decisions_total\\{decision="${decision}"\\} (\\d+)$`,
    'm',
  );
  assert.equal(Number(line.exec(text)?.[1]), found.length, 'metrics say what the audit log says');
  return found.length;
}

for (const [engine, settings] of Object.entries(ENGINES)) {
  test(`${engine}: shares are the same at all workers, by API and by command`, async (t) => {
    const it = await scene(t, await settings());

    await lineAt(it.lines, 0).ask('PUT', FLAG, { percentage: 50 });
    const half = await agreed(it, (share) => share.length > 0 && share.length < KEYS);
    await it.run('flags', 'set', 'smart_next', '--percentage', '100');
    await agreed(it, (share) => share.length === KEYS);
    await it.run('flags', 'set', 'smart_next', '--percentage', '50');
    assert.deepEqual(await agreed(it, (share) => share.length < KEYS), half, 'a share is stable');
    await it.run('flags', 'set', 'smart_next', '--off');
    await agreed(it, (share) => share.length === 0);
  });

  test(`${engine}: a new arm that fails one call in five is taken back once`, async (t) => {
    const it = await scene(t, await settings());
    for (let call = 1; call <= CALLS_MAX; call += 1) {
      it.next.next(call % FAILS === 0 ? { options: 'status=500' } : {});
    }

    await lineAt(it.lines, 0).ask('PUT', `${FLAG}/rollout`, PLAN);
    const { rollout, percentage } = await outcomeOf(it);

    assert.deepEqual(
      [rollout.status, rollout.reason, percentage],
      ['rolled_back', 'error_rate', 0],
    );
    await agreed(it, (share) => share.length === 0);
    assert.equal(await decisions(it, 'flags.roll_back'), 1);
  });

  test(`${engine}: a healthy new arm reaches everybody, each step once`, async (t) => {
    const it = await scene(t, await settings());

    await it.run(
      'flags',
      'rollout',
      'smart_next',
      '--steps',
      '50,100',
      '--soak',
      '1',
      '--samples',
      '15',
    );
    const { rollout, percentage } = await outcomeOf(it);

    assert.deepEqual([rollout.status, percentage], ['completed', 100], JSON.stringify(rollout));
    await agreed(it, (share) => share.length === KEYS);
    assert.equal(await decisions(it, 'flags.advance'), 1);
    assert.equal(await decisions(it, 'flags.complete'), 1);
  });
}
