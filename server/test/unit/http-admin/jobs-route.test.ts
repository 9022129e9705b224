/** `GET /api/v1/jobs`: only a superadmin reads it, in pages, and never a payload. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobPage, JobRecord } from '../../../src/operations/ports/jobs.ts';
import { createAdminFixture } from './fixture.ts';

const NOW_MS = 1_700_000_000_000;

function record(n: number): JobRecord {
  return {
    ...{ id: `job_${n}`, kind: 'mail', key: null, payload: { secret: 'planted' } },
    ...{ runAtMs: NOW_MS, attemptsMax: 3, state: 'dead', attempts: 3, createdAtMs: NOW_MS },
    ...{ owner: null, leaseUntilMs: null, lastError: 'no', endedAtMs: NOW_MS + 1 },
  };
}

test('a superadmin reads jobs in pages, and nobody else does', async () => {
  const asked: JobPage[] = [];
  const list = async (page: JobPage) => {
    asked.push(page);
    return [record(3), record(2), record(1)].slice(0, page.limit);
  };
  const nothing = async () => null;
  const jobs = { list, retry: nothing, remove: nothing };
  const { call, secrets } = await createAdminFixture({ jobs });

  assert.equal((await call(secrets.admin, '/api/v1/jobs')).statusCode, 403);
  assert.equal((await call(null, '/api/v1/jobs')).statusCode, 401);

  const answer = await call(secrets.superadmin, '/api/v1/jobs?state=dead&limit=2');
  assert.equal(answer.statusCode, 200);
  assert.ok(!answer.body.includes('planted'));
  const { data, next } = answer.json();
  assert.deepEqual(data[0], {
    ...{ id: 'job_3', kind: 'mail', key: null, state: 'dead', attempts: 3, attempts_max: 3 },
    ...{ run_at: '2023-11-14T22:13:20.000Z', created_at: '2023-11-14T22:13:20.000Z' },
    ...{ owner: null, lease_until: null, last_error: 'no', ended_at: '2023-11-14T22:13:20.001Z' },
  });
  await call(secrets.superadmin, `/api/v1/jobs?state=dead&limit=2&cursor=${next}`);
  assert.deepEqual(asked, [
    { state: 'dead', limit: 3, beforeId: null },
    { state: 'dead', limit: 3, beforeId: 'job_2' },
  ]);
  const other = await call(secrets.superadmin, `/api/v1/jobs?limit=2&cursor=${next}`);
  assert.equal(other.statusCode, 400);
});

test('a job that was given up is tried again or taken away, by its id', async () => {
  const asked: unknown[] = [];
  const jobs = {
    list: async () => [],
    retry: async (id: string, nowMs: number) => {
      asked.push([id, typeof nowMs]);
      return id === 'job_1' ? { ...record(1), state: 'waiting' as const } : null;
    },
    remove: async (id: string) => {
      asked.push(id);
      return id === 'job_1' ? record(1) : null;
    },
  };
  const { call, secrets } = await createAdminFixture({ jobs });
  const ask = (method: 'POST' | 'DELETE', url: string) =>
    call(secrets.superadmin, { method, url: `/api/v1/jobs/${url}` });

  const retried = await ask('POST', 'job_1/retry');
  const removed = await ask('DELETE', 'job_1');
  const missing = [await ask('POST', 'job_9/retry'), await ask('DELETE', "x'%20or%20'1")];

  assert.deepEqual([retried.statusCode, retried.json().state], [200, 'waiting']);
  assert.deepEqual([removed.statusCode, removed.json().id], [200, 'job_1']);
  assert.deepEqual(
    missing.map(({ statusCode }) => statusCode),
    [404, 404],
  );
  assert.deepEqual(asked, [['job_1', 'number'], 'job_1', ['job_9', 'number']]);
});
