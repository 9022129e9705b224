/** The providers of one configuration after the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProviderPool } from '../../../src/app/providers.ts';
import type { Providers } from '../../../src/gateway/ports/provider.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { Log } from '../../../src/kernel/log.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { loadText } from '../../support/config.ts';

const nothing = () => undefined;
const LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const BOTH = 'providers: { a: { kind: mock }, b: { kind: mock } }';
const ONE = 'providers: { a: { kind: mock } }';

test('who was routed to a provider still finds it after the reload that removed it', async () => {
  const pool = createProviderPool({ clock: systemClock, random: systemRandom, log: LOG });
  const generations: Providers[] = [];
  for (const file of [BOTH, ONE, ONE]) {
    generations.push(pool.connect((await loadText(file)).config));
  }

  const found = generations.map((providers) => providers.get('b') !== undefined);

  assert.deepEqual(found, [true, true, false]);
  assert.equal(generations[1]?.get('b'), generations[0]?.get('b'));
  assert.notEqual(generations[1]?.get('a'), generations[0]?.get('a'));
  await pool.destroy();
});
