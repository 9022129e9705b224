/**
 * Goal: what every refused sign-in has to match is the dearest imported hash that is still there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createImportedCosts } from '../../../src/identity/passwords/imported-costs.ts';

const bcrypt = (cost: string): string => `$2b$${cost}$${'x'.repeat(53)}`;
const ARGON2 = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';

test('the dearest imported hash is known, until its last user has another one', () => {
  const costs = createImportedCosts(10);
  const seen = [costs.dearest()];
  const note = (user: string, hash: string | null): void => {
    costs.note(user, hash);
    seen.push(costs.dearest());
  };

  note('ana', ARGON2);
  note('bea', bcrypt('10'));
  note('cid', bcrypt('12'));
  note('dan', bcrypt('12'));
  note('cid', ARGON2);
  note('dan', null);
  note('bea', bcrypt('11'));
  note('bea', null);

  assert.deepEqual(seen, [null, null, 10, 12, 12, 12, 10, 11, null]);
});
