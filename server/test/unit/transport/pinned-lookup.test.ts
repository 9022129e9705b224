/**
 * Goal: the addresses that were checked are the addresses that are used. Method: a scripted
 * resolver and a clock moved by hand.
 */
import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { anyAddress, publicAddressesAnd } from '../../../src/transport/address-policy.ts';
import {
  createPinnedLookup,
  type Resolve,
  systemResolve,
} from '../../../src/transport/pinned-lookup.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const PUBLIC: LookupAddress = { address: '8.8.8.8', family: 4 };
const PRIVATE: LookupAddress = { address: '10.0.0.1', family: 4 };

function ask(lookup: LookupFunction, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lookup('provider.test', { all }, (error, address) => {
      if (error) reject(error);
      else resolve(address);
    });
  });
}

function scripted(...answers: readonly LookupAddress[][]): Resolve & { calls(): number } {
  let calls = 0;
  const resolve: Resolve = (_, done) => {
    const answer = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    setImmediate(() => done(null, answer));
  };
  return Object.assign(resolve, { calls: () => calls });
}

test('a checked answer is handed on as one address or as all', async () => {
  const resolve = scripted([PUBLIC]);
  const lookup = createPinnedLookup(publicAddressesAnd([]), createManualClock(), resolve);

  assert.equal(await ask(lookup, false), '8.8.8.8');
  assert.deepEqual(await ask(lookup, true), [PUBLIC]);
});

test('one refused address among public ones refuses the name', async () => {
  const resolve = scripted([PUBLIC, PRIVATE]);
  const lookup = createPinnedLookup(publicAddressesAnd([]), createManualClock(), resolve);

  await assert.rejects(ask(lookup, true), { code: 'ESCLUSA_ADDRESS_REFUSED' });
});

test('a name that turns private is refused when it is resolved again', async () => {
  const clock = createManualClock();
  const lookup = createPinnedLookup(publicAddressesAnd([]), clock, scripted([PUBLIC], [PRIVATE]));

  assert.equal(await ask(lookup, false), '8.8.8.8');
  clock.advance(9999);
  assert.equal(await ask(lookup, false), '8.8.8.8');
  clock.advance(1);

  await assert.rejects(ask(lookup, false), { code: 'ESCLUSA_ADDRESS_REFUSED' });
});

test('lookups that meet share one resolution, and a failure is not kept', async () => {
  const failing: Resolve = (_, done) => {
    setImmediate(() => done(Object.assign(new Error('x'), { code: 'EAI_AGAIN' }), []));
  };
  const working = scripted([PUBLIC]);
  let current: Resolve = failing;
  const lookup = createPinnedLookup(anyAddress, createManualClock(), (host, done) =>
    current(host, done),
  );

  const failed = await Promise.allSettled([ask(lookup, true), ask(lookup, true)]);
  current = working;
  const found = await Promise.all([ask(lookup, true), ask(lookup, true), ask(lookup, true)]);

  assert.deepEqual(
    failed.map((result) => result.status),
    ['rejected', 'rejected'],
  );
  assert.equal(found.length, 3);
  assert.equal(working.calls(), 1);
});

test('a name without addresses is not found', async () => {
  const lookup = createPinnedLookup(anyAddress, createManualClock(), scripted([]));

  await assert.rejects(ask(lookup, true), { code: 'ENOTFOUND' });
});

test('a name that the system cannot resolve fails its caller, and nothing else', async () => {
  const lookup = createPinnedLookup(anyAddress, createManualClock(), systemResolve);

  const failed = new Promise((resolve, reject) => {
    lookup('nobody.invalid', { all: true }, (error) => {
      if (error) reject(error);
      else resolve(null);
    });
  });

  await assert.rejects(failed, (error: NodeJS.ErrnoException) =>
    ['ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? ''),
  );
});
