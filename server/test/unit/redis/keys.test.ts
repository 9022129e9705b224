/** Names of keys: no tenant's name can reach another's, nor decide on its place in a cluster. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { globMatches } from '../../../src/gateway/model/cache-selection.ts';
import {
  aboutEntriesPattern,
  besideEntry,
  entryKeyOf,
  entryPattern,
  escaped,
  keyOfEntry,
} from '../../../src/stores/redis/keys.ts';

const slotOf: (key: string) => number = createRequire(
  createRequire(import.meta.url).resolve('ioredis'),
)('cluster-key-slot');
const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '{', '}', '~', ':', '*'));

test('two names never meet, and a name is plain whatever it was', () => {
  fc.assert(
    fc.property(names, names, (a, b) => {
      fc.pre(Buffer.from(a).compare(Buffer.from(b)) !== 0);
      assert.notEqual(escaped(a), escaped(b));
      assert.match(escaped(a), /^[A-Za-z0-9_~-]+$/);
      assert.notEqual(entryKeyOf(a, 'k'), entryKeyOf(b, 'k'));
      assert.notEqual(entryKeyOf('t', a), entryKeyOf('t', b));
    }),
  );
});

test('what belongs to an entry lies in its slot, whatever the tenant is called', () => {
  fc.assert(
    fc.property(names, names, (tenant, key) => {
      const entry = entryKeyOf(tenant, key);
      assert.equal(slotOf(entry), slotOf(besideEntry(tenant, key, 'flight')));
      assert.equal(slotOf(entry), slotOf(escaped(key)));
      assert.equal(keyOfEntry(entry), escaped(key));
    }),
  );
});

test('the patterns of a tenant find its entries and no other’s', () => {
  fc.assert(
    fc.property(names, names, names, (tenant, other, key) => {
      fc.pre(escaped(tenant) !== escaped(other));
      assert.equal(globMatches(entryPattern(tenant), entryKeyOf(tenant, key)), true);
      assert.equal(globMatches(entryPattern(tenant), entryKeyOf(other, key)), false);
      assert.equal(globMatches(entryPattern(tenant), besideEntry(tenant, key, 'flight')), false);
      for (const about of [entryKeyOf, (of: string, at: string) => besideEntry(of, at, 'flight')]) {
        assert.equal(globMatches(aboutEntriesPattern(tenant), about(tenant, key)), true);
        assert.equal(globMatches(aboutEntriesPattern(tenant), about(other, key)), false);
      }
    }),
  );
});
