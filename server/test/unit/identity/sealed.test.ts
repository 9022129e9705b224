/**
 * What is sealed opens only where it was sealed for: not under another key, not for another
 * purpose, not with a byte changed, and not too late.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSealer } from '../../../src/identity/index.ts';
import { systemRandom as random } from '../../../src/kernel/random.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const KEY = Buffer.alloc(32, 1);
const OTHER_KEY = Buffer.alloc(32, 2);

test('what was sealed for one purpose or under one key opens for no other', () => {
  const clock = createManualClock();
  const deps = { random, clock };
  const sealer = createSealer(KEY, 'single-sign-on', deps);
  const text = sealer.seal({ state: 'ñ' }, 1000);

  assert.equal(sealer.open(text)?.state, 'ñ');
  assert.equal(createSealer(KEY, 'invitation', deps).open(text), null);
  assert.equal(createSealer(OTHER_KEY, 'single-sign-on', deps).open(text), null);
  clock.advance(1000);
  assert.equal(sealer.open(text), null);
});

test('a changed or shortened text opens nowhere', () => {
  const sealer = createSealer(KEY, 'single-sign-on', { random, clock: createManualClock() });
  const bytes = Buffer.from(sealer.seal({ state: 'x' }, 1000), 'base64url');
  const at = fc.integer({ min: 0, max: bytes.length - 1 });
  fc.assert(
    fc.property(at, fc.integer({ min: 1, max: 255 }), (place, flip) => {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ flip;
      assert.equal(sealer.open(changed.toString('base64url')), null);
      assert.equal(sealer.open(bytes.subarray(0, place).toString('base64url')), null);
    }),
  );
});
