/** Sealed fields open at their own place and nowhere else (attack B8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldSeal, deriveKeys } from '../../../src/identity/index.ts';
import { systemRandom } from '../../../src/kernel/random.ts';

const keys = deriveKeys(Buffer.alloc(32, 7));
const seal = createFieldSeal(keys.fieldKey, systemRandom);
const PLACE = ['tenants', 'ten_1', 'place', 'db.example'];

test('what was sealed opens at its place, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (plain, place) => {
      assert.equal(seal.open(seal.seal(plain, place), place), plain);
    }),
  );
});

test('another row, another field, another address: it does not open', () => {
  const sealed = seal.seal('secret', PLACE);
  for (const place of [
    ['tenants', 'ten_2', 'place', 'db.example'],
    ['users', 'ten_1', 'place', 'db.example'],
    ['tenants', 'ten_1', 'note', 'db.example'],
    ['tenants', 'ten_1', 'place', 'evil.example'],
    ['tenants', 'ten_1', 'placedb.example'],
    [],
  ]) {
    assert.equal(seal.open(sealed, place), null);
  }
});

test('a key that serves another purpose, or another secret, opens nothing', () => {
  const sealed = seal.seal('secret', PLACE);
  const others = [keys.replayKey, keys.cacheKey, deriveKeys(Buffer.alloc(32, 8)).fieldKey];
  for (const key of others) {
    assert.equal(createFieldSeal(key, systemRandom).open(sealed, PLACE), null);
  }
});

test('a changed or shortened text opens nothing, and never throws', () => {
  const sealed = seal.seal('secret', PLACE);
  for (let at = 0; at < sealed.length; at += 1) {
    const other = sealed[at] === 'A' ? 'B' : 'A';
    const changed = `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`;
    const opened = seal.open(changed, PLACE);
    // The last character of base64url has bits that no byte has.
    assert.ok(opened === null || (at === sealed.length - 1 && opened === 'secret'), `at ${at}`);
    assert.equal(seal.open(sealed.slice(0, at), PLACE), null);
  }
});

test('the same text is never sealed alike, and is not in what was sealed', () => {
  const [a, b] = [seal.seal('secret', PLACE), seal.seal('secret', PLACE)];
  assert.notEqual(a, b);
  assert.doesNotMatch(Buffer.from(a.slice(3), 'base64url').toString('latin1'), /secret/);
});
