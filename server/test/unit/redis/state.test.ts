/** What the log is told of a store: each change once, and little of one that comes and goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../../src/kernel/log.ts';
import { createStoreState } from '../../../src/stores/redis/state.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function open() {
  const clock = createManualClock();
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const quiet = () => undefined;
  const log: Log = { debug: quiet, info: at('info'), warn: at('warn'), error: at('error') };
  const state = createStoreState({ clock, log, name: 'cache', lanes: ['hot'] });
  return { clock, lines, state };
}

const BACK = 'info The cache store on Redis is available';
const GONE = 'warn The cache store on Redis is not available; the service goes on without';

test('an outage is two lines, however long it is, and the next one two more', () => {
  const { clock, lines, state } = open();
  state.connected('hot');

  for (let outage = 0; outage < 2; outage += 1) {
    clock.advance(60_000);
    for (let times = 0; times < 100; times += 1) state.lost('hot', 'gone');
    clock.advance(3_600_000);
    state.connected('hot');
  }

  assert.deepEqual(lines, [BACK, GONE, BACK, GONE, BACK]);
});

test('a store that comes and goes is told of every ten seconds, and last that it is there', () => {
  const { clock, lines, state } = open();
  state.connected('hot');

  for (let second = 0; second < 60; second += 1) {
    state.lost('hot', 'slow');
    clock.advance(400);
    state.connected('hot');
    clock.advance(600);
    assert.equal(lines.at(-1), BACK);
  }

  assert.equal(lines.filter((line) => line === GONE).length, 6);
  assert.equal(state.report().kind, 'up');
});

test('a store that was never there is told of once', () => {
  const { clock, lines, state } = open();

  for (let times = 0; times < 100; times += 1) {
    state.lost('hot', 'refused');
    clock.advance(1000);
  }

  assert.deepEqual(lines, [GONE]);
});
