/**
 * Goal: whoever reads the log of a start knows where cached answers are kept.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellMemoryOnly, tellSecondTier } from '../../../src/app/cache-ready.ts';
import type { RedisConfig } from '../../../src/config/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { rememberingLog } from '../../support/storage.ts';

const place = { kind: 'standalone', host: 'redis.internal', port: 6380 } as const;
const endpoint = { place, username: 'gateway', password: 'hidden', database: 3, isSecure: false };
const config = { cache: endpoint, state: endpoint } as unknown as RedisConfig;

function setUp(kind: 'connecting' | 'up') {
  const log = rememberingLog();
  const clock = createManualClock();
  const listeners = new Set<() => void>();
  let reason: string | null = null;
  const store = {
    onReturn(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: () => ({ kind, sinceMs: 0, reason, refusing: null }),
  };
  const end = tellSecondTier({ log, clock, config, store });
  return {
    ...{ log, clock, end },
    fail: (why: string) => {
      reason = why;
    },
    connect: () => {
      for (const listener of [...listeners]) listener();
    },
  };
}

test('a Redis that connects is told once, with its address and without its password', () => {
  const { log, clock, connect } = setUp('connecting');

  connect();
  connect();
  clock.advance(10_000);

  assert.equal(log.lines.length, 1);
  assert.match(String(log.lines[0]?.message), /cache\.ready/);
  const told = JSON.stringify(log.lines);
  assert.match(told, /redis\.internal/);
  assert.doesNotMatch(told, /hidden/);
});

test('one that was connected already is told at once', () => {
  assert.match(String(setUp('up').log.lines[0]?.message), /cache\.ready/);
});

test('one that does not answer is a fallback with its reason, until it comes', () => {
  const { log, clock, connect, fail } = setUp('connecting');

  fail('connection refused');
  clock.advance(2000);
  connect();

  assert.match(String(log.lines[0]?.message), /cache\.fallback/);
  assert.match(JSON.stringify(log.lines[0]), /connection refused/);
  assert.match(String(log.lines[1]?.message), /cache\.ready/);
});

test('a process that stops before tells nothing', () => {
  const { log, clock, end } = setUp('connecting');

  end();
  clock.advance(10_000);

  assert.deepEqual(log.lines, []);
});

test('where nothing is shared the cache says that it is memory alone, and why', () => {
  const log = rememberingLog();

  tellMemoryOnly(log, 'no_redis');

  assert.match(JSON.stringify(log.lines), /cache\.fallback.*no_redis/);
});
