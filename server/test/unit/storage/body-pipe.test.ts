/**
 * Bodies on their way into the database: bounds, batches, and a database that refuses. Method:
 * a repository that does as it is told, and a clock moved by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import type { KeptBodies } from '../../../src/gateway/ports/body-store.ts';
import { BodyLanes } from '../../../src/storage/body-lanes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { rememberingLog } from '../../support/storage.ts';

const MIB = 1_048_576;
const SETTLE_MS = 1000;

function createPipe() {
  const clock = createManualClock();
  const log = rememberingLog();
  const batches: string[][] = [];
  const state: { refusal: Error | null; asked: number; silent: boolean } = {
    refusal: null,
    asked: 0,
    silent: false,
  };
  const pipe = new BodyLanes({
    repository: {
      async insert(bodies) {
        state.asked += 1;
        if (state.silent) await new Promise(() => undefined);
        if (state.refusal !== null) throw state.refusal;
        batches.push(bodies.map(({ requestId }) => requestId));
      },
      get: async () => null,
      eraseBefore: async () => 0,
    },
    clock,
    log,
    settleMs: SETTLE_MS,
  });
  /** Moves the clock, and lets what it woke come to rest. */
  const advance = async (durationMs: number) => {
    clock.advance(durationMs);
    await setImmediate();
  };
  return { pipe, clock, log, batches, state, advance };
}

function bodies(requestId: string, bytes = 1): KeptBodies {
  return {
    requestId,
    tenant: 'acme',
    createdAtMs: 0,
    request: { bytes: new Uint8Array(bytes), truncated: false },
    response: null,
  };
}

function many(count: number, bytes = 1): KeptBodies[] {
  return Array.from({ length: count }, (_, at) => bodies(`req_${at}`, bytes));
}

const unavailable = () => new GatewayError('storage_unavailable');

test('bodies are not written in the turn that keeps them, and together soon after', async () => {
  const { pipe, batches, state, advance } = createPipe();

  for (const each of many(3)) pipe.keep(each);
  assert.equal(state.asked, 0);

  await advance(100);
  assert.deepEqual(batches, [['req_0', 'req_1', 'req_2']]);
});

test('a batch has at most 32 exchanges, and one mebibyte unless one has more alone', async () => {
  const small = createPipe();
  for (const each of many(70)) small.pipe.keep(each);
  await small.advance(100);
  assert.deepEqual(
    small.batches.map(({ length }) => length),
    [32, 32, 6],
  );

  const large = createPipe();
  for (const each of [...many(3, MIB / 2), bodies('req_large', 2 * MIB)]) large.pipe.keep(each);
  await large.advance(100);
  assert.deepEqual(large.batches, [['req_0', 'req_1'], ['req_2'], ['req_large']]);
});

test('a question waits for what was kept last, also behind an earlier pipe', async () => {
  const { pipe, batches, advance } = createPipe();
  pipe.keep(bodies('req_1'));
  void pipe.get('req_1', 'acme');
  // Its write is on its way: this one comes with it, and asks for a timer of its own.
  pipe.keep(bodies('req_2'));
  await setImmediate();
  assert.deepEqual(batches.flat(), ['req_1', 'req_2']);

  await advance(50);
  pipe.keep(bodies('req_3'));
  await advance(50);
  await pipe.get('req_3', 'acme');

  assert.deepEqual(batches.flat(), ['req_1', 'req_2', 'req_3']);
});

test('of more than a thousand that wait, the newest are dropped and counted', async () => {
  const { pipe, batches, advance } = createPipe();

  for (const each of many(1003)) pipe.keep(each);

  assert.equal(pipe.figures().droppedBodies, 3);
  await advance(100);
  assert.equal(batches.flat().length, 1000);
  assert.equal(batches.flat().at(-1), 'req_999');
});

test('of more than 16 MiB that wait, the newest are dropped, and there is room later', async () => {
  const { pipe, batches, advance } = createPipe();

  for (const each of many(16, MIB)) pipe.keep(each);
  pipe.keep(bodies('req_late'));
  assert.equal(pipe.figures().droppedBodies, 1);

  await advance(100);
  pipe.keep(bodies('req_later'));
  await advance(100);
  assert.equal(batches.flat().at(-1), 'req_later');
  assert.equal(pipe.figures().droppedBodies, 1);
});

test('a database that refuses is asked again, and gets all of it in order', async () => {
  const { pipe, log, batches, state, advance } = createPipe();
  state.refusal = unavailable();
  pipe.keep(bodies('req_1'));
  await advance(100);
  pipe.keep(bodies('req_2'));
  await advance(1000);
  assert.equal(state.asked, 2);

  state.refusal = null;
  await advance(1000);

  assert.deepEqual(batches, [['req_1', 'req_2']]);
  assert.equal(pipe.figures().droppedBodies, 0);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  );
});

test('bodies that the database will never take are dropped and counted', async () => {
  const { pipe, batches, state, advance } = createPipe();
  state.refusal = new Error('no such column');
  pipe.keep(bodies('req_1'));
  await advance(100);

  state.refusal = null;
  pipe.keep(bodies('req_2'));
  await advance(100);

  assert.deepEqual(batches, [['req_2']]);
  assert.equal(pipe.figures().droppedBodies, 1);
});

test('a question waits for what was kept before it, but no longer than it may', async () => {
  const { pipe, batches, state, advance, clock } = createPipe();
  pipe.keep(bodies('req_1'));
  await pipe.get('req_1', 'acme');
  assert.deepEqual(batches, [['req_1']]);

  state.silent = true;
  pipe.keep(bodies('req_2'));
  const question = pipe.get('req_2', 'acme');
  await advance(SETTLE_MS);
  assert.equal(await question, null);
  assert.equal(clock.pendingTimers(), 0);
});

test('closing writes what waits and takes nothing more', async () => {
  const { pipe, batches, clock } = createPipe();
  pipe.keep(bodies('req_1'));

  await pipe.close(1000);
  pipe.keep(bodies('req_2'));

  assert.deepEqual(batches, [['req_1']]);
  assert.equal(pipe.figures().droppedBodies, 1);
  assert.equal(clock.pendingTimers(), 0);
});

test('closing over a database that refuses ends, and says how much is lost', async () => {
  const { pipe, log, state, clock } = createPipe();
  state.refusal = unavailable();
  pipe.keep(bodies('req_1'));

  await pipe.close(1000);

  const last = log.lines.at(-1);
  assert.deepEqual([last?.level, last?.fields], ['warn', { count: 1 }]);
  assert.equal(clock.pendingTimers(), 0);
});
