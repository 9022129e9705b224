/**
 * Goal: demonstration D14 where three processes serve: each has a breaker of its own; it opens
 * after five failures, refuses at once or takes the next target, opens again on one bad probe,
 * closes after two good ones, and is not moved by who looks. Method: three real processes, as
 * three programs and as three workers of one; a provider over real sockets that counts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startRedis } from '../support/redis-server.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { ARRANGEMENTS, startThree, type Three } from '../support/three-processes.ts';
import { until } from '../support/until.ts';
import type { LineAnswer, WorkerLine } from '../support/worker-lines.ts';

const OPEN_SECONDS = 1;
const NAME = 'main/mock-faulty';

function configOf(main: ScriptedUpstream, spare: ScriptedUpstream) {
  const vendor = { kind: 'openai-compatible', api_key: 'sk-upstream' };
  const faulty = { provider: 'main', model: 'mock-faulty' };
  return {
    providers: {
      main: { ...vendor, base_url: main.url },
      spare: { ...vendor, base_url: spare.url },
    },
    models: {
      alone: { targets: [faulty] },
      'with-spare': { targets: [faulty, { provider: 'spare', model: 'mock' }] },
    },
    resilience: { breaker: { open_seconds: OPEN_SECONDS }, retry: { attempts: 1 } },
    redis: { command_ms: 1000 },
  };
}

function ask(line: WorkerLine, model: string): Promise<LineAnswer> {
  const messages = [{ role: 'user', content: 'hola' }];
  return line.ask('POST', '/v1/chat/completions', { model, messages });
}

async function breaker(line: WorkerLine) {
  const { body } = await line.ask('GET', `/api/v1/circuit-breakers/${encodeURIComponent(NAME)}`);
  return body;
}

/** As it stands in one process, whatever it is in others. */
async function ownBreaker(line: WorkerLine) {
  const { workers = [] } = await breaker(line);
  return workers.find(({ worker }: { worker: string }) => worker === line.worker) ?? {};
}

/** Without those that only look whether the provider is there. */
function callsOf(upstream: ScriptedUpstream): number {
  return upstream.callsOf('mock-faulty').length;
}

async function failFive(line: WorkerLine): Promise<void> {
  for (let call = 1; call <= 5; call += 1) {
    assert.notEqual((await ownBreaker(line)).state, 'open', `before call ${call}`);
    await ask(line, 'alone');
  }
  assert.equal((await ownBreaker(line)).state, 'open');
}

/** Asks until a call is let through, and answers that one. */
function probe(line: WorkerLine): Promise<LineAnswer> {
  return until('a probe is let through', async () => {
    const answer = await ask(line, 'alone');
    return answer.body.error?.code === 'no_target_available' ? null : answer;
  });
}

for (const how of ARRANGEMENTS) {
  describe(how, { timeout: 120_000 }, () => {
    test('D14: opens, fails fast, opens again at once, closes after two', async (t) => {
      const main = await startScriptedUpstream();
      const spare = await startScriptedUpstream();
      t.after(() => Promise.all([main.close(), spare.close()]));
      const redis = await startRedis(t);
      const lines: Three = await startThree(t, how, redis, configOf(main, spare));
      const [first, second] = lines;

      main.script('mock-faulty', 'status=500');
      await failFive(first);
      assert.equal(callsOf(main), 5);
      const refused = await ask(first, 'alone');
      assert.deepEqual([refused.status, refused.body.error.code], [503, 'no_target_available']);
      const led = await ask(first, 'with-spare');
      assert.deepEqual([led.status, led.headers['x-esclusa-provider']], [200, 'spare']);
      assert.equal(callsOf(main), 5, 'the faulty one was not called');
      assert.notEqual((await ownBreaker(second)).state, 'open', 'each process learns by itself');

      const opened = (await breaker(first)).opened_at;
      for (let poll = 0; poll < 20; poll += 1) {
        assert.equal((await breaker(first)).opened_at, opened, 'looking changes nothing');
      }
      assert.equal((await probe(first)).status, 502);
      assert.equal((await breaker(first)).state, 'open', 'one bad probe opens it again');
      assert.equal(callsOf(main), 6);

      main.forget();
      assert.equal((await probe(first)).status, 200);
      assert.equal((await breaker(first)).state, 'half_open');
      assert.equal((await ask(first, 'alone')).status, 200);
      assert.equal((await breaker(first)).state, 'closed');
    });

    test('U14: three open breakers let through three probes, not a herd', async (t) => {
      const main = await startScriptedUpstream();
      const spare = await startScriptedUpstream();
      t.after(() => Promise.all([main.close(), spare.close()]));
      const redis = await startRedis(t);
      const lines = await startThree(t, how, redis, configOf(main, spare));
      main.script('mock-faulty', 'status=500');
      for (const line of lines) await failFive(line);
      main.forget();
      main.script('mock-faulty', 'status=500,latency=300ms');

      await until('all may probe', async () => {
        const states = await Promise.all(lines.map(ownBreaker));
        return states.every(({ retry_after_ms: leftMs }) => leftMs === 0);
      });
      const herd = lines.flatMap((line) => Array.from({ length: 10 }, () => line));
      const answers = await Promise.all(herd.map((line) => ask(line, 'alone')));

      assert.ok(answers.every(({ status }) => status === 502 || status === 503));
      assert.ok(callsOf(main) >= 1 && callsOf(main) <= 3, `${callsOf(main)} probes`);
    });
  });
}
