/**
 * Verbs about background jobs, over a real database with one job given up and one that waits.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type JobBody, jobListSchema, jobSchema } from '@esclusa/contracts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { openStorage } from '../../../src/storage/index.ts';
import { ids } from '../../support/storage.ts';
import { type CommandLine, createCommandLine } from './fixture.ts';

const NOBODY = 'job_01JD0000000000000000000000';

/** A job that waits, and one more for each name, given up with that name as its error. */
async function fill(line: CommandLine, given: readonly string[]): Promise<void> {
  const storage = await openStorage({
    ...{ clock: systemClock, ids, log: silentLog, dataDir: join(line.folder, 'data') },
    database: { kind: 'sqlite', file: join(line.folder, 'data', 'esclusa.sqlite') },
    journal: { fsync: 'off', maxBytes: 1_000_000 },
  });
  const { jobs } = storage;
  for (const error of given) {
    const job = { kind: 'x.work', key: error, payload: { secret: 'inner' }, attemptsMax: 1 };
    await jobs.enqueue({ ...job, runAtMs: 0 });
    const claim = { owner: 'w', kinds: ['x.work'], nowMs: 1, leaseMs: 1000, limit: 1 };
    const [taken] = await jobs.take(claim);
    assert.ok(taken);
    await jobs.end(taken, { kind: 'dead', error }, 2);
  }
  const waiting = { kind: 'x.later', key: null, payload: {}, attemptsMax: 3 };
  await jobs.enqueue({ ...waiting, runAtMs: 1_900_000_000_000 });
  await storage.close();
}

describe('background jobs on the command line', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
    await line.run('migrate');
    await fill(line, ['disk full', 'no such thing']);
  });
  after(() => line.remove());
  const listed = async (...words: readonly string[]): Promise<readonly JobBody[]> =>
    jobListSchema.parse(await line.json('jobs', 'list', ...words)).data;

  it('are listed newest first, by state, in pages, and without what they carry', async () => {
    const all = await listed();
    const dead = await listed('--state', 'dead');
    const page = await line.run('jobs', 'list', '--limit', '1');
    const second = await listed('--limit', '1', '--before', all[0]?.id ?? '');

    assert.deepEqual(
      all.map(({ kind, state }) => `${kind} ${state}`),
      ['x.later waiting', 'x.work dead', 'x.work dead'],
    );
    assert.deepEqual(
      dead.map(({ last_error: error }) => error),
      ['no such thing', 'disk full'],
    );
    assert.match(page.out, new RegExp(`--before ${all[0]?.id}`));
    assert.deepEqual(second, [all[1]]);
    assert.ok(!JSON.stringify(all).includes('inner'));
  });

  it('are told in Spanish', async () => {
    const { out } = await line.run('jobs', 'list', '--lang', 'es');

    assert.match(out, /^ID +CLASE +ESTADO +INTENTOS/m);
    assert.match(out, /x\.work +abandonado +1\/1 .*disk full/);
  });

  it('that were given up are tried again or taken away, and it is written down', async () => {
    const [gone, again] = await listed('--state', 'dead');
    const retried = jobSchema.parse(await line.json('jobs', 'retry', again?.id ?? ''));
    line.answer = false;
    const kept = await line.run('jobs', 'remove', gone?.id ?? '');
    line.answer = null;
    const removed = await line.run('jobs', 'remove', gone?.id ?? '', '--yes');

    assert.deepEqual([retried.state, retried.attempts], ['waiting', 0]);
    assert.deepEqual([kept.exitCode, removed.exitCode], [1, 0]);
    assert.equal(removed.out, `${gone?.id} is gone.\n`);
    assert.deepEqual(await listed('--state', 'dead'), []);
    const audit = await line.json<{ data: { action: string; subject: string }[] }>('audit', 'list');
    assert.deepEqual(
      audit.data.map(({ action, subject }) => `${action} ${subject}`),
      [`jobs.remove ${gone?.id}`, `jobs.retry ${again?.id}`],
    );
  });

  it('that are alive, or are not there, are left alone', async () => {
    const [waiting] = (await listed()).filter(({ kind }) => kind === 'x.later');
    const alive = [
      await line.run('jobs', 'retry', waiting?.id ?? ''),
      await line.run('jobs', 'remove', waiting?.id ?? '', '--yes'),
    ];
    const absent = await line.run('jobs', 'retry', NOBODY);
    const badState = await line.run('jobs', 'list', '--state', 'lost');

    for (const { exitCode, err } of alive) {
      assert.equal(exitCode, 1);
      assert.match(err, /was not given up/);
    }
    assert.deepEqual([absent.exitCode, absent.err], [1, `Error: There is no job ${NOBODY}.\n`]);
    assert.deepEqual(
      [badState.exitCode, badState.err],
      [2, 'Error: --state: expected one of waiting, running, dead.\n'],
    );
    assert.equal((await listed()).find(({ id }) => id === waiting?.id)?.state, 'waiting');
  });
});
