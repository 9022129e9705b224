/**
 * What is logged and counted of breakers and keys: once for each change, never for each call.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakerListener, keyListener } from '../../../src/app/meters.ts';
import { createBreakerRegistry } from '../../../src/gateway/resilience/breaker-registry.ts';
import type { LogFields } from '../../../src/kernel/log.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function setUp() {
  const lines: string[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = {
    ...{ debug: write('debug'), info: write('info') },
    ...{ warn: write('warn'), error: write('error') },
  };
  const metrics = createMetrics();
  const value = async (series: string): Promise<number> => {
    const { text } = await metrics.expose();
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return { lines, log, metrics, value };
}

test('a breaker writes one line as it opens and one as it closes, whatever it tries', async () => {
  const { lines, log, metrics, value } = setUp();
  const clock = createManualClock();
  const breakers = createBreakerRegistry({ clock, listener: breakerListener(metrics, log) });
  const settings = { failureThreshold: 5, successThreshold: 1, openMs: 1000 };
  const store = breakers.named('store', { ...settings, halfOpenMaxCalls: 1, minimumCalls: 5 });

  for (let call = 0; call < 5; call += 1) store.record(store.admit(), 'failure');
  for (let call = 0; call < 1000; call += 1) store.admit();
  for (let probe = 0; probe < 100; probe += 1) {
    clock.advance(1000);
    store.record(store.admit(), 'failure');
  }
  clock.advance(1000);
  store.record(store.admit(), 'success');

  assert.deepEqual(
    lines.filter((line) => !line.startsWith('debug ')),
    [
      'warn circuit breaker changed {"breaker":"store","from":"closed","to":"open"}',
      'info circuit breaker changed {"breaker":"store","from":"half_open","to":"closed"}',
    ],
  );
  assert.equal(await value('circuit_breaker_failures_total{name="store"}'), 105);
});

test('a refused key is one line when its rest begins, a limited one none', async () => {
  const { lines, log, metrics, value } = setUp();
  const keys = keyListener(metrics, log);

  keys.refused('up', '2', 'credentials', 600_000, true);
  for (let call = 0; call < 100; call += 1) {
    keys.refused('up', '2', 'credentials', 600_000, false);
    keys.refused('up', '1', 'rate_limit', 1000, true);
  }

  assert.deepEqual(lines, [
    'warn provider refuses a key ' +
      '{"provider":"up","place":"2","reason":"credentials","rest_ms":600000}',
  ]);
  const series = 'esclusa_provider_key_refusals_total';
  assert.equal(await value(`${series}{provider="up",place="2",reason="credentials"}`), 101);
  assert.equal(await value(`${series}{provider="up",place="1",reason="rate_limit"}`), 100);
});
