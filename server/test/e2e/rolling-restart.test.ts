/**
 * Goal: a release goes out under load, and nobody notices. Method: three processes behind the
 * nginx that is deployed, each restarted in turn, while clients ask and read streams.
 * `npm run chaos -- rolling-restart` is the same for a minute.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rollingRestart } from '../support/rolling-restart.ts';

test('three processes are restarted in turn and no request fails, no stream is cut', async (t) => {
  const figures = await rollingRestart(t, {
    ...{ processes: 3, perSecond: 20, seconds: 8, drainDelaySeconds: 1 },
  });

  assert.deepEqual(figures.failures.slice(0, 5), []);
  assert.equal(figures.restarts >= 3, true);
  assert.ok(figures.asked > 120, `${figures.asked} requests`);
  t.diagnostic(
    `${figures.asked} requests, ${figures.streams} streams, ${figures.restarts} restarts`,
  );
});
