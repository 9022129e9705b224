/**
 * Goal: demonstration D3 as it is written: without its Redis every request is answered, the
 * breaker opens after five failures, tries again and closes by itself, and no request waits
 * for what is not there. Method: three real processes, as three programs and as three workers
 * of one; the Redis is killed and started again; times are compared with those of requests that
 * never ask it, one by one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startRedis } from '../support/redis-server.ts';
import { ARRANGEMENTS, ask, question, startThree } from '../support/three-processes.ts';
import { until } from '../support/until.ts';
import type { WorkerLine } from '../support/worker-lines.ts';

const REQUESTS = 20;
const ADDED_MS = 50;
/** A machine with other work may hold up one of twenty. */
const HICCUPS = 1;
const BREAKER = '/api/v1/circuit-breakers/redis-cache';

async function breaker(line: WorkerLine) {
  const { status, body } = await line.ask('GET', BREAKER);
  assert.equal(status, 200);
  return body;
}

/** How long a request takes that the cache never sees. */
async function passingMs(line: WorkerLine, content: string): Promise<number> {
  const sinceMs = performance.now();
  await line.ask('POST', '/v1/chat/completions', {
    ...question(content),
    ...{ temperature: 1 },
  });
  return performance.now() - sinceMs;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

for (const how of ARRANGEMENTS) {
  describe(how, { timeout: 120_000 }, () => {
    test('D3: Redis goes and comes back, and nobody has to do anything', async (t) => {
      const redis = await startRedis(t);
      const lines = await startThree(t, how, redis, {});
      for (const line of lines) await ask(line, 'known');
      for (const line of lines) assert.equal((await breaker(line)).state, 'closed');

      await redis.kill();
      for (const line of lines) {
        const added: number[] = [];
        for (let i = 0; i < REQUESTS; i += 1) {
          const isKnown = i % 2 === 0;
          const { status, cache, headers } = await ask(line, isKnown ? 'known' : `new ${i}`);
          assert.equal(status, 200);
          assert.equal(cache, isKnown ? 'HIT' : 'MISS');
          if (isKnown) assert.match(String(headers['cache-status']), /memory/);
        }
        const open = await until('it is open', async () => {
          const now = await breaker(line);
          return now.is_open ? now : null;
        });
        assert.ok(open.total_failures >= 5, `${open.total_failures} failures`);
        for (let i = 0; i < REQUESTS; i += 1) {
          const passing = await passingMs(line, `passing ${i}`);
          const { status, tookMs } = await ask(line, `while open ${i}`);
          assert.equal(status, 200);
          added.push(tookMs - passing);
        }
        const most = Math.max(...added).toFixed(1);
        t.diagnostic(`added: median ${median(added).toFixed(1)} ms, most ${most} ms`);
        const slow = added.filter((ms) => ms >= ADDED_MS);
        assert.ok(slow.length <= HICCUPS, `${slow.length} waited: ${slow}`);
        assert.ok(median(added) < ADDED_MS / 2, `${median(added)} ms`);
        const ready = await line.ask('GET', '/health/ready');
        assert.deepEqual([ready.status, ready.body.status], [200, 'degraded']);
      }

      await redis.restart();
      for (const line of lines) {
        await until('it is closed', async () => (await breaker(line)).state === 'closed');
        await until('it is ready without a remark', async () => {
          return (await line.ask('GET', '/health/ready')).body.status === 'ready';
        });
        const { text } = await line.ask('GET', '/metrics');
        for (const [from, to] of TRANSITIONS) {
          const labels = `name="redis-cache",from="${from}",to="${to}"`;
          const wanted = `circuit_breaker_transitions_total{${labels}}`;
          assert.ok(text.includes(wanted), wanted);
        }
      }
      const [first, second] = lines;
      await ask(first, 'shared again');
      await until('the cache is shared again', async () => {
        return (await ask(second, 'shared again')).cache === 'HIT';
      });
    });
  });
}

const TRANSITIONS = [
  ['closed', 'open'],
  ['open', 'half_open'],
  ['half_open', 'closed'],
] as const;
