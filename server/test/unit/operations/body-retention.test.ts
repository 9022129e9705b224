/**
 * Prompts and answers are erased once they are old enough: out of the table and out of every
 * file. Method: a real database on disk, a planted text, and a clock moved by hand for the age.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { BodyStore } from '../../../src/gateway/index.ts';
import { bodyRetention } from '../../../src/operations/body-retention.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { filesWith } from '../../support/planted.ts';
import { openAt, rememberingLog } from '../../support/storage.ts';
import { withTenants } from '../../support/tenant-record.ts';
import { until } from '../../support/until.ts';

const DAY_MS = 86_400_000;
const PAUSE_MS = 50;
const CANARY = 'canary-4f1d-el-prompt-plantado';

function start(bodies: Pick<BodyStore, 'eraseBefore'>, settings = { days: 30 }) {
  const clock = createManualClock();
  const log = rememberingLog();
  const retentionDays = () => settings.days;
  const retention = bodyRetention({ clock, log, bodies, what: 'bodies', retentionDays });
  const abort = new AbortController();
  const pass = () => retention.run({}, abort.signal);
  /** Moves the clock, and lets what it woke come to rest. */
  const advance = async (durationMs: number) => {
    clock.advance(durationMs);
    await setImmediate();
  };
  /** A pass to its end. */
  const erase = async () => {
    let isOver = false;
    const passing = pass().finally(() => {
      isOver = true;
    });
    await until('the pass is over', async () => {
      await advance(PAUSE_MS);
      return isOver;
    });
    await passing;
  };
  return { clock, log, settings, abort, advance, pass, erase };
}

/** Bodies of so many exchanges, by their times; each batch takes what is due. */
function memoryBodies(createdAtMs: readonly number[]) {
  let left = [...createdAtMs];
  const batches: number[] = [];
  return {
    batches,
    left: () => left,
    async eraseBefore(beforeMs: number, limit: number) {
      const due = left.filter((ms) => ms < beforeMs).slice(0, limit);
      left = left.filter((ms) => !due.includes(ms));
      batches.push(due.length);
      return due.length;
    },
  };
}

test('after their time, bodies are gone from the table and from every file', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await withTenants(openAt({ dataDir }));
  afterwards(t, () => storage.close());
  const { bodies } = storage;
  const { clock, advance, erase } = start(bodies);
  const prompt = Buffer.from(CANARY.repeat(200)); // a page and a half, so that it overflows
  const keep = (id: string, createdAtMs: number, bytes: Uint8Array) =>
    bodies.keep({
      ...{ requestId: id, tenant: 'acme', createdAtMs },
      ...{ request: { bytes, truncated: false }, response: null },
    });
  for (let n = 0; n < 65; n += 1) keep(`req_old_${n}`, clock.wallMs(), prompt);
  keep('req_young', clock.wallMs() + DAY_MS, Buffer.from('young'));
  assert.notEqual(await bodies.get('req_young', 'acme'), null);
  assert.ok(filesWith(dataDir, CANARY).length > 0, 'the planted text is on the disk');

  await advance(30 * DAY_MS);
  await erase();
  assert.notEqual(await bodies.get('req_old_0', 'acme'), null);

  await advance(1);
  await erase();
  assert.deepEqual(filesWith(dataDir, CANARY), []);
  assert.equal(await bodies.get('req_old_64', 'acme'), null);
  assert.notEqual(await bodies.get('req_young', 'acme'), null);
});

test('kept responses go the same way, and so do those that were deleted', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await withTenants(openAt({ dataDir }));
  afterwards(t, () => storage.close());
  const { responses } = storage;
  const { clock, advance, erase } = start(responses);
  const said = Buffer.from(CANARY.repeat(200));
  const keep = (id: string, createdAtMs: number, input: Uint8Array) =>
    responses.insert({
      ...{ id, tenant: 'acme', keyId: 'key_1', createdAtMs, previousId: null },
      ...{ input, response: input },
    });
  for (let n = 0; n < 45; n += 1) await keep(`resp_old_${n}`, clock.wallMs(), said);
  await keep('resp_deleted', clock.wallMs() + DAY_MS, said);
  await keep('resp_young', clock.wallMs() + DAY_MS, Buffer.from('young'));
  assert.equal(await responses.delete('acme', 'resp_deleted'), true);
  assert.ok(filesWith(dataDir, CANARY).length > 0, 'the planted text is on the disk');

  await advance(30 * DAY_MS + 1);
  await erase();
  assert.deepEqual(filesWith(dataDir, CANARY), []);

  assert.equal(await responses.get('acme', 'resp_old_44'), null);
  assert.notEqual(await responses.get('acme', 'resp_young'), null);
});

test('it is due every hour, under a name of its own', () => {
  const { kind, every } = bodyRetention({
    ...{ clock: createManualClock(), log: rememberingLog(), bodies: memoryBodies([]) },
    ...{ what: 'responses', retentionDays: () => 1 },
  });
  assert.deepEqual([kind, every], ['responses.erase', { everyMs: 3_600_000 }]);
});

test('what is due goes in small batches with a pause behind each', async () => {
  const bodies = memoryBodies(Array.from({ length: 45 }, (_, ms) => ms));
  const { advance, pass, log } = start(bodies);

  const passing = pass();
  await advance(0);
  assert.deepEqual(bodies.batches, [20]);
  await advance(PAUSE_MS);
  assert.deepEqual(bodies.batches, [20, 20]);
  await advance(PAUSE_MS);
  assert.deepEqual(bodies.batches, [20, 20, 5]);
  await passing;
  assert.deepEqual(log.lines.at(-1)?.fields, { exchanges: 45 });
});

test('a body of exactly the age stays; a changed age holds from the next pass on', async () => {
  const bornMs = 1_700_000_000_000 - 2 * DAY_MS;
  const bodies = memoryBodies([bornMs, bornMs - 1]);
  const { pass, settings } = start(bodies, { days: 2 });

  await pass();
  assert.deepEqual(bodies.left(), [bornMs]);

  settings.days = 1;
  await pass();
  assert.deepEqual(bodies.left(), []);
});

test('a pass that is told to end does so behind its batch, and says that it did', async () => {
  const { promise: held, resolve } = Promise.withResolvers<number>();
  let asked = 0;
  const { clock, abort, pass } = start({
    eraseBefore() {
      asked += 1;
      return held;
    },
  });
  const passing = pass();

  abort.abort(new Error('the process ends'));
  resolve(20);

  await assert.rejects(passing, /the process ends/);
  assert.equal(asked, 1);
  assert.equal(clock.pendingTimers(), 0);
});

test('with zero days everything is kept, and nobody is asked', async () => {
  const bodies = memoryBodies([0]);
  const { clock, erase } = start(bodies, { days: 0 });
  clock.advance(10_000 * DAY_MS);

  await erase();

  assert.deepEqual([bodies.left(), bodies.batches], [[0], []]);
});
