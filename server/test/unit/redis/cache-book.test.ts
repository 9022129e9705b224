/** What is counted of the cache in one process: for each tenant, for all, and no more of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCacheBook, noCounts } from '../../../src/stores/cache-book.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function open(maxTenants?: number) {
  const bounds = maxTenants === undefined ? {} : { maxTenants };
  return createCacheBook({ clock: createManualClock(), process: 'p', ...bounds });
}

test('an exchange is counted by how it ended, and by the tier that gave it', () => {
  const book = open();

  book.ended('t', 'HIT', 'memory');
  book.ended('t', 'STALE', 'memory');
  book.ended('t', 'HIT', 'redis');
  book.ended('t', 'JOIN', null);
  book.ended('t', 'MISS', null);
  book.ended('t', 'BYPASS', null);

  const page = book.page('t');
  assert.deepEqual(page?.counts, {
    ...noCounts(),
    ...{ hits: 2, stale: 1, joins: 1, misses: 1, bypasses: 1 },
    ...{ memory_hits: 2, memory_misses: 3 },
  });
  assert.deepEqual(book.page(null)?.counts, page.counts);
  assert.equal(book.page('other'), null);
});

test('the shared tier is counted with the mean time of its last hundred lookups', () => {
  const book = open();
  assert.equal(book.page(null)?.averageLatencyMs, null);

  for (let n = 0; n < 50; n += 1) book.lookedUp('t', false, 1000);
  for (let n = 0; n < 100; n += 1) book.lookedUp('t', true, n % 2 === 0 ? 1 : 3);
  book.stored('t', 100, 40);
  book.failed('t');

  const page = book.page('t');
  assert.equal(page?.averageLatencyMs, 2);
  const { redis_hits, redis_misses, redis_sets, redis_errors } = page?.counts ?? noCounts();
  assert.deepEqual([redis_hits, redis_misses, redis_sets, redis_errors], [100, 50, 1, 1]);
  assert.equal(page?.counts.redis_plain_bytes, 100);
  assert.equal(page?.counts.redis_kept_bytes, 40);
});

test('what changed is told once, and everything when it is asked for', () => {
  const book = open();
  book.ended('t', 'HIT', 'memory');

  assert.deepEqual(new Set(book.takeChanged()), new Set(['t', null]));
  assert.deepEqual(book.takeChanged(), []);
  book.touchAll();
  assert.deepEqual(new Set(book.takeChanged()), new Set(['t', null]));
});

test('a page that is turned has another name, and says what it is told', () => {
  const book = open();
  book.ended('t', 'HIT', 'memory');
  const before = book.page('t')?.name;

  const turned = book.turn('t', { ...noCounts(), hits: 7 });
  const total = book.turn(null, noCounts());

  assert.notEqual(turned.name, before);
  assert.equal(book.page('t'), turned);
  assert.equal(book.page('t')?.counts.hits, 7);
  assert.equal(book.page(null), total);
});

test('beyond the bound the tenant counted longest ago is forgotten, and begins anew', () => {
  const book = open(2);
  book.ended('a', 'HIT', 'memory');
  const first = book.page('a')?.name;
  book.ended('b', 'HIT', 'memory');
  book.ended('c', 'HIT', 'memory');

  assert.equal(book.page('a'), null);
  assert.deepEqual(new Set(book.takeChanged()), new Set(['b', 'c', null]));
  book.ended('a', 'HIT', 'memory');
  assert.notEqual(book.page('a')?.name, first);
  assert.equal(book.page('a')?.counts.hits, 1);
  assert.equal(book.page(null)?.counts.hits, 4);
});

test('a tenant that is forgotten leaves what was counted for all, and begins anew', () => {
  const book = open();
  book.ended('gone', 'HIT', 'memory');
  book.ended('stays', 'HIT', 'memory');

  book.forget('gone');

  assert.equal(book.page('gone'), null);
  assert.deepEqual(new Set(book.takeChanged()), new Set(['stays', null]));
  assert.equal(book.page(null)?.counts.hits, 2);
});
