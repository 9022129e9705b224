/**
 * What every queue of background jobs promises, and what a runner makes of it. Method: real
 * databases; two openings of one database stand for two processes.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { createJobRunner, type JobKind } from '../../src/operations/index.ts';
import type { JobRunnerSettings } from '../../src/operations/jobs/runner-options.ts';
import type { JobQueue, JobRecord, NewJob } from '../../src/operations/ports/jobs.ts';
import { afterwards } from '../support/afterwards.ts';
import { ids, rememberingLog } from '../support/storage.ts';
import type { StorageProcess } from '../support/storage-process.ts';
import { until } from '../support/until.ts';

export interface Queues {
  readonly queue: JobQueue;
  /** The same database, as another process opens it. */
  readonly twin: JobQueue;
  /** A process that takes jobs of the kind `mail`, says so and never ends them. */
  startStuckProcess(): StorageProcess;
}

export type OpenQueues = (t: TestContext) => Promise<Queues>;

const NOW_MS = 1_700_000_000_000;
const LEASE_MS = 60_000;
const FAST = { firstMs: 1, pollMs: 20, graceMs: 50, backOffMs: 10, backOffMaxMs: 40 };

function job(overrides: Partial<NewJob> = {}): NewJob {
  return {
    ...{ kind: 'mail', key: null, payload: { to: 'ana' }, runAtMs: NOW_MS, attemptsMax: 3 },
    ...overrides,
  };
}

function claim(owner: string, nowMs = NOW_MS, limit = 10) {
  return { owner, kinds: ['mail'], nowMs, leaseMs: LEASE_MS, limit };
}

async function takeOne(queue: JobQueue, owner = 'a', nowMs = NOW_MS): Promise<JobRecord> {
  const [taken] = await queue.take(claim(owner, nowMs, 1));
  assert.ok(taken, 'a job is due');
  return taken;
}

function startRunner(
  t: TestContext,
  queue: JobQueue,
  kinds: readonly JobKind[],
  settings: Partial<JobRunnerSettings> = {},
) {
  const ends: string[] = [];
  const log = rememberingLog();
  const runner = createJobRunner({
    ...{ queue, kinds, log, owner: ids.next('worker') },
    ...{ clock: systemClock, random: systemRandom },
    onEnd: (kind, outcome) => ends.push(`${kind} ${outcome}`),
    settings: { ...FAST, ...settings },
  });
  runner.start();
  afterwards(t, () => runner.stop());
  return { runner, ends, log };
}

export function jobQueueSuite(name: string, open: OpenQueues): void {
  const it = (claimed: string, body: (t: TestContext, queues: Queues) => Promise<void>) =>
    test(`${name}: ${claimed}`, async (t) => body(t, await open(t)));
  queueClaims(it);
  endClaims(it);
  runnerClaims(it);
  fleetClaims(it);
}

type It = (claimed: string, body: (t: TestContext, queues: Queues) => Promise<void>) => void;

function queueClaims(it: It): void {
  it('a job comes out as it went in, eldest first, and not before its time', async (_t, own) => {
    const { queue } = own;
    await queue.enqueue(job({ runAtMs: NOW_MS + 2, payload: { n: 2 } }));
    await queue.enqueue(job({ runAtMs: NOW_MS + 1, payload: { n: 1, text: 'ñ\u0000"' } }));
    await queue.enqueue(job({ runAtMs: NOW_MS + 3 }));

    assert.deepEqual(await queue.take(claim('a')), []);
    const taken = await queue.take(claim('a', NOW_MS + 2));

    assert.deepEqual(
      taken.map(({ payload, attempts, owner, leaseUntilMs }) => [
        ...[payload, attempts, owner, leaseUntilMs],
      ]),
      [
        [{ n: 1, text: 'ñ\u0000"' }, 1, 'a', NOW_MS + 2 + LEASE_MS],
        [{ n: 2 }, 1, 'a', NOW_MS + 2 + LEASE_MS],
      ],
    );
  });

  it('what was given up is tried again or taken away, and nothing else is', async (_t, own) => {
    const { queue, twin } = own;
    await queue.enqueue(job({ key: 'one' }));
    const running = await takeOne(queue);
    await assert.rejects(twin.retry(running.id, NOW_MS), { code: 'conflict' });
    await assert.rejects(twin.remove(running.id), { code: 'conflict' });
    assert.deepEqual([await twin.retry('job_x', NOW_MS), await twin.remove('job_x')], [null, null]);
    await queue.end(running, { kind: 'dead', error: 'no' }, NOW_MS);

    const retried = await twin.retry(running.id, NOW_MS);
    assert.deepEqual([retried?.state, retried?.attempts, retried?.lastError], ['waiting', 0, 'no']);
    const again = await takeOne(queue);
    assert.equal(again.id, running.id);
    await queue.end(again, { kind: 'dead', error: 'no' }, NOW_MS);
    await queue.enqueue(job({ key: 'one' }));
    await assert.rejects(twin.retry(running.id, NOW_MS), { code: 'conflict' });

    assert.equal((await twin.remove(running.id))?.id, running.id);
    assert.equal(await twin.remove(running.id), null);
    assert.equal((await queue.figures(NOW_MS)).waiting, 1);
  });

  it('a key is free again when its job is over, and not before', async (_t, { queue, twin }) => {
    const keyed = job({ key: 'one' });
    assert.equal(await queue.enqueue(keyed), true);
    assert.equal(await twin.enqueue(keyed), false);
    const running = await takeOne(queue);
    assert.equal(await twin.enqueue(keyed), false);

    await queue.end(running, { kind: 'done' }, NOW_MS);
    assert.equal(await twin.enqueue(keyed), true);
    await queue.end(await takeOne(queue), { kind: 'dead', error: 'no' }, NOW_MS);
    assert.equal(await twin.enqueue(keyed), true);
  });

  it('of many enqueued at once under one key one is taken in', async (_t, { queue, twin }) => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 2 ? queue : twin).enqueue(job({ key: 'k' }))),
    );
    assert.equal(results.filter(Boolean).length, 1);
  });

  it('two who take at once never get the same job', async (_t, { queue, twin }) => {
    for (let n = 0; n < 30; n += 1) await queue.enqueue(job({ payload: { n } }));
    const takers = Array.from({ length: 10 }, (_, n) =>
      (n % 2 ? queue : twin).take(claim(`owner ${n}`, NOW_MS, 5)),
    );
    const taken = (await Promise.all(takers)).flat();
    assert.equal(new Set(taken.map(({ id }) => id)).size, taken.length);
    assert.ok(taken.length > 0);
  });

  it('only what is asked for is taken', async (_t, { queue }) => {
    await queue.enqueue(job({ kind: 'other' }));
    assert.deepEqual(await queue.take(claim('a')), []);
    assert.deepEqual(await queue.take({ ...claim('a'), kinds: [] }), []);
    assert.deepEqual(await queue.take({ ...claim('a'), kinds: ['other'], limit: 0 }), []);
  });

  it('lists by state, newest first, in pages, and counts', async (_t, { queue }) => {
    for (let n = 0; n < 3; n += 1) await queue.enqueue(job({ payload: { n } }));
    await queue.end(await takeOne(queue), { kind: 'dead', error: 'x' }, NOW_MS);
    await takeOne(queue);

    const first = await queue.list({ state: null, limit: 2, beforeId: null });
    const rest = await queue.list({ state: null, limit: 2, beforeId: first[1]?.id ?? '' });
    assert.deepEqual(
      [...first, ...rest].map(({ payload }) => payload.n),
      [2, 1, 0],
    );
    const dead = await queue.list({ state: 'dead', limit: 9, beforeId: null });
    assert.deepEqual(
      dead.map(({ lastError, endedAtMs, owner }) => [lastError, endedAtMs, owner]),
      [['x', NOW_MS, null]],
    );
    assert.deepEqual(await queue.figures(NOW_MS + 500), {
      ...{ waiting: 1, running: 1, dead: 1, oldestDueMs: 500 },
    });
  });
}

function endClaims(it: It): void {
  it('a lease that ends gives the job to another, and its owner no say', async (_t, own) => {
    const { queue, twin } = own;
    await queue.enqueue(job());
    const first = await takeOne(queue, 'a');
    assert.deepEqual(await twin.take(claim('b', NOW_MS + LEASE_MS)), []);

    const second = await takeOne(twin, 'b', NOW_MS + LEASE_MS + 1);
    assert.deepEqual([second.id, second.attempts], [first.id, 2]);
    assert.equal(await queue.end(first, { kind: 'done' }, NOW_MS), false);
    assert.deepEqual(await queue.extend('a', [first.id], NOW_MS * 2), []);
    assert.equal(await twin.end(second, { kind: 'done' }, NOW_MS), true);
  });

  it('a lease that is extended keeps others away', async (_t, { queue, twin }) => {
    await queue.enqueue(job());
    const { id } = await takeOne(queue, 'a');
    assert.deepEqual(await queue.extend('a', [id, 'job_none'], NOW_MS + 2 * LEASE_MS), [id]);
    assert.deepEqual(await twin.take(claim('b', NOW_MS + LEASE_MS + 1)), []);
  });

  it('what kills its process every time is dead after its last attempt', async (_t, { queue }) => {
    await queue.enqueue(job({ attemptsMax: 2 }));
    const later = (n: number) => NOW_MS + n * (LEASE_MS + 1);
    await takeOne(queue, 'a', later(0));
    await takeOne(queue, 'b', later(1));
    assert.deepEqual(await queue.take(claim('c', later(2))), []);
    const [dead] = await queue.list({ state: 'dead', limit: 1, beforeId: null });
    assert.equal(dead?.lastError, 'the process that ran it ended');
  });

  it('each end leaves the job as it says', async (_t, { queue }) => {
    await queue.enqueue(job());
    await queue.end(await takeOne(queue), { kind: 'handed_back' }, NOW_MS);
    const again = await takeOne(queue);
    assert.equal(again.attempts, 1);

    const retry = { kind: 'retry', runAtMs: NOW_MS + 5, error: 'é'.repeat(5000) } as const;
    await queue.end(again, retry, NOW_MS);
    const second = await takeOne(queue, 'a', NOW_MS + 5);
    assert.deepEqual([second.attempts, second.lastError?.length], [2, 2000]);

    await queue.end(second, { kind: 'again', runAtMs: NOW_MS + 9, error: null }, NOW_MS);
    const third = await takeOne(queue, 'a', NOW_MS + 9);
    assert.deepEqual([third.attempts, third.lastError], [1, null]);
  });
}

function runnerClaims(it: It): void {
  it('a job that fails is tried later each time, and is dead after the last', async (t, own) => {
    const begunMs: number[] = [];
    const run = async () => {
      begunMs.push(systemClock.monotonicMs());
      throw new Error('the mail server says no');
    };
    await own.queue.enqueue(job());
    const { ends } = startRunner(t, own.queue, [{ kind: 'mail', every: null, run }], {
      ...{ backOffMs: 60, backOffMaxMs: 1000 },
    });

    await until('it is dead', () => ends.includes('mail dead'));
    assert.deepEqual(ends, ['mail failed', 'mail failed', 'mail dead']);
    const [first = 0, second = 0, third = 0] = begunMs;
    assert.ok(second - first >= 48 && third - second >= 96, `${begunMs}`);
    const [dead] = await own.queue.list({ state: 'dead', limit: 2, beforeId: null });
    assert.deepEqual([dead?.attempts, dead?.lastError], [3, 'the mail server says no']);
  });

  it('what is enqueued while a runner rests is done as soon as it is woken', async (t, own) => {
    const done = Promise.withResolvers<unknown>();
    const run = async (payload: unknown) => done.resolve(payload);
    const kinds = [{ kind: 'mail', every: null, run }];
    const { runner, ends } = startRunner(t, own.queue, kinds, { pollMs: 3_600_000 });
    await until('it has looked', () => runner.figures());

    await own.queue.enqueue(job({ payload: { to: 'luis' } }));
    runner.wake();

    assert.deepEqual(await done.promise, { to: 'luis' });
    await until('it is over', () => ends.length === 1);
    assert.deepEqual(await own.queue.list({ state: null, limit: 1, beforeId: null }), []);
  });

  it('a job that recurs runs soon, then at its instants, whatever comes of it', async (t, own) => {
    let runs = 0;
    const run = async () => {
      runs += 1;
      if (runs % 2 === 1) throw new Error('odd');
    };
    const kinds = [{ kind: 'sweep', every: { everyMs: 100 }, run }];
    const { ends } = startRunner(t, own.queue, kinds);
    startRunner(t, own.twin, kinds);
    await until('it ran four times', () => runs >= 4);

    assert.ok(ends.every((end) => /^sweep (done|failed)$/.test(end)));
    const rows = await own.queue.list({ state: null, limit: 9, beforeId: null });
    assert.deepEqual(
      rows.map(({ kind, key, runAtMs }) => [kind, key, runAtMs % 100]),
      [['sweep', 'every:sweep', 0]],
    );
  });

  it('stopping lets a job end, and hands back what does not', async (t, own) => {
    const gate = Promise.withResolvers<void>();
    const stuck: JobKind = {
      ...{ kind: 'stuck', every: null },
      run: (_payload, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const mail: JobKind = { kind: 'mail', every: null, run: () => gate.promise };
    await own.queue.enqueue(job());
    await own.queue.enqueue(job({ kind: 'stuck' }));
    const { runner, ends } = startRunner(t, own.queue, [mail, stuck], { graceMs: 150 });
    await until('both run', async () => (await own.queue.figures(NOW_MS)).running === 2);

    const stopped = runner.stop();
    gate.resolve();
    await stopped;

    assert.deepEqual(ends, ['mail done', 'stuck handed_back']);
    const rows = await own.twin.list({ state: null, limit: 9, beforeId: null });
    assert.deepEqual(
      rows.map(({ kind, state, attempts }) => [kind, state, attempts]),
      [['stuck', 'waiting', 0]],
    );
  });
}

function fleetClaims(it: It): void {
  it('what a killed process was doing is done by another', async (t, own) => {
    await own.queue.enqueue(job());
    const child = own.startStuckProcess();
    await child.printed(1);
    const kinds = [{ kind: 'mail', every: null, run: async () => undefined }];
    const { ends } = startRunner(t, own.queue, kinds);
    const held = await own.queue.list({ state: 'running', limit: 1, beforeId: null });
    assert.equal(held.length, 1);

    await child.kill();

    await until('it is done', () => ends.length === 1);
    assert.deepEqual([child.lines(), ends], [['mail begins'], ['mail done']]);
  });

  it('several runners never run one job twice at once, and lose none', async (t, own) => {
    const JOBS = 40;
    const active = new Set<unknown>();
    const seen: unknown[] = [];
    const run: JobKind['run'] = async ({ n }) => {
      assert.ok(!active.has(n), `${n} runs already`);
      active.add(n);
      await new Promise((resolve) => setImmediate(resolve));
      active.delete(n);
      seen.push(n);
    };
    for (let n = 0; n < JOBS; n += 1) await own.queue.enqueue(job({ payload: { n } }));
    const kinds = [{ kind: 'mail', every: null, run }];
    const queues = [own.queue, own.twin, own.queue, own.twin];
    const runners = queues.map((queue) => startRunner(t, queue, kinds));
    const ended = () => runners.flatMap(({ ends }) => ends);
    await until('all are over', () => ended().length >= JOBS);

    assert.deepEqual(
      seen.map(Number).sort((a, b) => a - b),
      Array.from({ length: JOBS }, (_, n) => n),
    );
    assert.ok(ended().every((end) => end === 'mail done'));
  });

  it('a runner that cannot keep a lease ends the job before another begins it', async (t, own) => {
    let isCut = false;
    const cut: JobQueue = {
      ...own.queue,
      take: (...asked) => (isCut ? Promise.reject(new Error('cut')) : own.queue.take(...asked)),
      extend: (...asked) => (isCut ? Promise.reject(new Error('cut')) : own.queue.extend(...asked)),
    };
    const events: string[] = [];
    const kindOf = (who: string): JobKind => ({
      ...{ kind: 'mail', every: null },
      run: (_payload, signal) =>
        new Promise((resolve, reject) => {
          events.push(`${who} begins`);
          if (who === 'b') resolve();
          signal.addEventListener('abort', () => {
            events.push(`${who} is told to end`);
            reject(signal.reason);
          });
        }),
    });
    await own.queue.enqueue(job());
    const first = startRunner(t, cut, [kindOf('a')], { leaseMs: 600, graceMs: 1 });
    await until('a runs', () => events.length === 1);
    isCut = true;
    const second = startRunner(t, own.twin, [kindOf('b')]);
    await until('b is done', () => second.ends.length === 1);

    assert.deepEqual(events, ['a begins', 'a is told to end', 'b begins']);
    assert.deepEqual([first.ends, second.ends], [['mail lost'], ['mail done']]);
  });
}
