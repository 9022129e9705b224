/**
 * Goal: a process that follows the configuration of another has its number, its settings and
 * its refusals, whenever it joins. Method: a real keeper, a follower fed with copies of what it
 * would be sent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConfigFollower,
  type ConfigKeeper,
  createConfigFollower,
  createConfigKeeper,
  handOver,
  type Loaded,
  load,
  loadCatalogue,
  stateOf,
  systemFiles,
  takeOver,
} from '../../../src/config/index.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createManualClock } from '../../support/manual-clock.ts';

interface Pair {
  readonly keeper: ConfigKeeper;
  readonly follower: ConfigFollower;
  readonly loaded: Loaded;
  write(text: string): void;
}

async function pair(): Promise<Pair> {
  let text = 'drain_seconds: 1\n';
  const files = { ...systemFiles, read: async (path: string) => fileOf(path) };
  const fileOf = (path: string) => (path.endsWith('esclusa.yaml') ? text : systemFiles.read(path));
  const catalogue = await loadCatalogue(systemFiles);
  const read = () => load({ env: {}, files, catalogue, nowMs: 0 });
  const loaded = await read();
  const clock = createManualClock();
  const { vendors } = loaded.catalogue;
  const keeper = createConfigKeeper({
    ...{ initial: loaded, load: read, vendors, files, clock, log: silentLog },
    attempted(outcome) {
      const changes = outcome.kind === 'applied' ? outcome.changes : [];
      follower.follow(structuredClone(stateOf(keeper, changes)));
    },
  });
  const follower = createConfigFollower({
    ...{ initial: structuredClone(handOver(loaded, keeper)).state, vendors, log: silentLog },
    ask: async () => (await keeper.reload()).kind,
  });
  return {
    ...{ keeper, follower, loaded },
    write(next) {
      text = next;
    },
  };
}

test('what is handed over is the same configuration, with the same catalogue', async () => {
  const { keeper, loaded } = await pair();

  const taken = takeOver(structuredClone(handOver(loaded, keeper)));

  assert.deepEqual(taken.config, loaded.config);
  assert.deepEqual(taken.catalogue.rows, loaded.catalogue.rows);
  assert.equal(taken.fileHash, loaded.fileHash);
});

test('a reload that the follower asks for is in force in both under one number', async () => {
  const { keeper, follower, write } = await pair();
  const told: number[] = [];
  follower.subscribe(({ number }) => told.push(number));
  write('drain_seconds: 2\n');

  const outcome = await follower.reload();

  assert.equal(outcome.kind, 'applied');
  assert.equal(keeper.current.number, 2);
  assert.equal(follower.current.number, 2);
  assert.equal(follower.current.config.drainSeconds, 2);
  assert.deepEqual(told, [2]);
  assert.equal(outcome.kind === 'applied' && outcome.changes[0]?.path, 'drain_seconds');
  assert.equal((await follower.reload()).kind, 'unchanged');
  assert.deepEqual(told, [2]);
});

test('a refusal is known to the follower, and over with the next good file', async () => {
  const { follower, write } = await pair();
  write('drain_seconds: many\n');

  const outcome = await follower.reload();

  assert.equal(outcome.kind, 'rejected');
  assert.match(String(follower.rejected), /drain_seconds/);
  assert.equal(follower.current.number, 1);
  write('drain_seconds: 3\n');
  await follower.reload();
  assert.equal(follower.rejected, null);
  assert.equal(follower.current.number, 2);
});
