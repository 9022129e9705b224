/**
 * Prompts and answers are erased once they are old enough: out of the table and out of every
 * file. Method: a real database on disk, a planted text, and a clock moved by hand for the age.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { BodyStore } from '../../../src/gateway/index.ts';
import { startBodyRetention } from '../../../src/operations/body-retention.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { filesWith } from '../../support/planted.ts';
import { afterwards, openAt, rememberingLog, temporaryFolder } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const CANARY = 'canary-4f1d-el-prompt-plantado';

function start(t: TestContext, bodies: Pick<BodyStore, 'eraseBefore'>, settings = { days: 30 }) {
  const clock = createManualClock();
  const log = rememberingLog();
  const retentionDays = () => settings.days;
  const retention = startBodyRetention({ clock, log, bodies, retentionDays });
  afterwards(t, () => retention.stop());
  /** Moves the clock, and lets what it woke come to rest. */
  const advance = async (durationMs: number) => {
    clock.advance(durationMs);
    await setImmediate();
  };
  return { clock, log, retention, settings, advance };
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
  const storage = await openAt({ dataDir });
  afterwards(t, () => storage.close());
  const { bodies } = storage;
  const { clock, advance } = start(t, bodies);
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
  assert.notEqual(await bodies.get('req_old_0', 'acme'), null);

  await until('no file holds the planted text', async () => {
    await advance(MINUTE_MS);
    return filesWith(dataDir, CANARY).length === 0;
  });
  assert.equal(await bodies.get('req_old_64', 'acme'), null);
  assert.notEqual(await bodies.get('req_young', 'acme'), null);
});

test('kept responses go the same way, and so do those that were deleted', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await openAt({ dataDir });
  afterwards(t, () => storage.close());
  const { responses } = storage;
  const { clock, advance } = start(t, responses);
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

  await advance(30 * DAY_MS);
  await until('no file holds the planted text', async () => {
    await advance(MINUTE_MS);
    return filesWith(dataDir, CANARY).length === 0;
  });

  assert.equal(await responses.get('acme', 'resp_old_44'), null);
  assert.notEqual(await responses.get('acme', 'resp_young'), null);
});

test('a first pass is soon after the start, the next ones follow every hour', async (t) => {
  const bodies = memoryBodies([]);
  const { advance } = start(t, bodies);

  await advance(MINUTE_MS - 1);
  assert.equal(bodies.batches.length, 0);
  await advance(1);
  assert.equal(bodies.batches.length, 1);

  await advance(50);
  await advance(HOUR_MS - 1);
  assert.equal(bodies.batches.length, 1);
  await advance(1);
  assert.equal(bodies.batches.length, 2);
});

test('what is due goes in small batches with a pause behind each', async (t) => {
  const bodies = memoryBodies(Array.from({ length: 45 }, (_, ms) => ms));
  const { advance } = start(t, bodies);

  await advance(MINUTE_MS);
  assert.deepEqual(bodies.batches, [20]);
  await advance(50);
  assert.deepEqual(bodies.batches, [20, 20]);
  await advance(50);
  assert.deepEqual(bodies.batches, [20, 20, 5]);
  await advance(50);
  assert.deepEqual(bodies.batches, [20, 20, 5]);
});

test('a body of exactly the age stays; a changed age holds from the next pass on', async (t) => {
  const bornMs = 1_700_000_000_000 - DAY_MS + MINUTE_MS;
  const bodies = memoryBodies([bornMs, bornMs - 1]);
  const { advance, settings } = start(t, bodies, { days: 1 });

  await advance(MINUTE_MS);
  assert.deepEqual(bodies.left(), [bornMs]);

  settings.days = 2;
  await advance(50);
  await advance(HOUR_MS);
  assert.deepEqual(bodies.left(), [bornMs]);

  settings.days = 1;
  await advance(50);
  await advance(HOUR_MS);
  assert.deepEqual(bodies.left(), []);
});

test('a pass that fails is told of, and tried again with the next', async (t) => {
  let asked = 0;
  const { log, advance } = start(t, {
    async eraseBefore() {
      asked += 1;
      throw new Error('locked');
    },
  });

  await advance(MINUTE_MS);
  assert.deepEqual([asked, log.lines.at(-1)?.level], [1, 'warn']);
  await advance(HOUR_MS);
  assert.equal(asked, 2);
});

test('stopping waits for the batch that runs and begins no other', async (t) => {
  const { promise: held, resolve } = Promise.withResolvers<number>();
  let asked = 0;
  const { clock, retention, advance } = start(t, {
    eraseBefore() {
      asked += 1;
      return held;
    },
  });
  await advance(MINUTE_MS);

  const stopped = retention.stop();
  resolve(20);
  await stopped;

  assert.equal(asked, 1);
  assert.equal(clock.pendingTimers(), 0);
});
