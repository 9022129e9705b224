/**
 * Memory in front of a shared store: who has an answer, what a purge elsewhere does to it, and
 * that a tier that fails is a miss. Two processes are two memories over one shared store.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTiers } from '../../../src/gateway/caching/tiers.ts';
import type { CacheEntry } from '../../../src/gateway/ports/cache-store.ts';
import { createMemoryCacheStore } from '../../../src/stores/memory/cache-store.ts';
import { entryAt } from '../../contract/cache-store.suite.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { processOn } from '../../support/shared-cache-store.ts';

const clock = createManualClock();
const storeOf = () => createMemoryCacheStore({ clock, maxEntries: 100, maxBytes: 1_000_000 });

function entry(generation: string, text = 'x'): CacheEntry {
  return entryAt(clock.wallMs(), text, { generation });
}

function fleet() {
  const whole = storeOf();
  const start = () => {
    const memory = storeOf();
    const process = processOn(whole);
    const tiers = createTiers(memory, process.store);
    const look = async (key = 'k') => tiers.near('t', key) ?? (await tiers.far('t', key));
    return { memory, process, tiers, look };
  };
  return { whole, start };
}

test('memory alone is asked at once, stores under its generation, and is purged', async () => {
  const tiers = createTiers(storeOf(), null);
  await tiers.set('t', 'k', entry(tiers.generation('t')));

  assert.equal(tiers.near('t', 'k')?.tier, 'memory');
  assert.equal(await tiers.far('t', 'k'), null);
  assert.equal(await tiers.purge('t'), 1);
  assert.equal(tiers.near('t', 'k'), null);
});

test('what one process stores another finds, first shared and then in its memory', async () => {
  const { start } = fleet();
  const [a, b] = [start(), start()];
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));

  assert.equal(a.tiers.near('t', 'k')?.tier, 'memory');
  assert.equal((await b.look())?.tier, 'redis');
  assert.equal((await b.look())?.tier, 'memory');
});

test('memory keeps a shared entry for the life that it has left, and no longer', async () => {
  const { start } = fleet();
  const [a, b] = [start(), start()];
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  clock.advance(4000);
  assert.equal((await b.look())?.tier, 'redis');

  clock.advance(999);
  assert.equal(b.tiers.near('t', 'k')?.tier, 'memory');
  clock.advance(1);

  assert.equal(b.tiers.near('t', 'k'), null);
});

test('a purge elsewhere empties memory as soon as it is noticed', async () => {
  const { start } = fleet();
  const [a, b] = [start(), start()];
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  await b.look();

  assert.equal(await a.tiers.purge('t'), 1);
  assert.equal(a.tiers.near('t', 'k'), null);
  assert.notEqual(b.tiers.near('t', 'k'), null);
  b.process.notice('t');

  assert.equal(b.memory.stats('t').entries, 0);
  assert.equal(await b.look(), null);
});

test('news that any tenant may have been purged empties memory for all', async () => {
  const { start } = fleet();
  const a = start();
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));

  a.process.notice(null);

  assert.equal(a.memory.stats(null).entries, 0);
  assert.equal((await a.look())?.tier, 'redis');
});

test('an answer begun before a purge is stored in neither tier', async () => {
  const { start } = fleet();
  const [a, b] = [start(), start()];
  await a.look();
  const begun = a.tiers.generation('t');
  await b.tiers.purge('t');
  a.process.notice('t');

  await a.tiers.set('t', 'k', entry(begun));

  assert.equal(a.tiers.near('t', 'k'), null);
  assert.equal(await a.look(), null);
  assert.equal(await b.look(), null);
});

test('an entry read from the shared store before a purge is not given after it', async () => {
  const { start } = fleet();
  const [a, b] = [start(), start()];
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  const given = a.process.store.get;
  const late = createTiers(storeOf(), {
    ...a.process.store,
    async get(tenant, key) {
      const read = await given(tenant, key);
      await b.tiers.purge(tenant);
      a.process.notice(tenant);
      return read;
    },
  });

  assert.equal(await late.far('t', 'k'), null);
  assert.equal(late.near('t', 'k'), null);
});

test('a shared store that is gone is a miss, and memory goes on', async () => {
  const { start } = fleet();
  const a = start();
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  a.process.cutOff(true);

  assert.equal((await a.look())?.tier, 'memory');
  assert.equal(await a.look('other'), null);
  await a.tiers.set('t', 'new', entry(a.tiers.generation('t')));
  assert.equal(a.tiers.near('t', 'new')?.tier, 'memory');
});

test('a shared store that never answered lets memory work by itself', async () => {
  const { start } = fleet();
  const a = start();
  a.process.cutOff(true);
  assert.equal(await a.look(), null);
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));

  assert.equal(a.tiers.near('t', 'k'), null, 'the shared store is asked first');
  assert.equal((await a.look())?.tier, 'memory');
});

test('memory that worked by itself is not believed once the shared store is back', async () => {
  const { whole, start } = fleet();
  await whole.purge('t');
  const a = start();
  a.process.cutOff(true);
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  a.process.cutOff(false);

  assert.equal(await a.look(), null);
});

test('a purge that the shared store was not told of is refused', async () => {
  const { start } = fleet();
  const a = start();
  a.process.cutOff(true);

  await assert.rejects(a.tiers.purge('t'), /cut off/);
});

test('single answers are removed from memory alone, or from the shared store', async () => {
  const alone = createTiers(storeOf(), null);
  await alone.set('t', 'k', entry(alone.generation('t')));
  assert.equal(await alone.remove('t', { key: 'k' }), 1);
  assert.equal(alone.near('t', 'k'), null);

  const { start } = fleet();
  const a = start();
  await a.look();
  await a.tiers.set('t', 'k', entry(a.tiers.generation('t')));
  assert.equal(await a.tiers.remove('t', { key: 'k' }), 1);
  a.process.notice(null);
  assert.equal(await a.look(), null);
});
