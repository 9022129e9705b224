/**
 * Goal: stopping hurts nobody who is running: not ready at once, accepting for the delay,
 * running streams end whole, and what is out of time ends legally. Method: the whole program.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const BODY = { model: 'paced', stream: true, messages: [{ role: 'user', content: 'hola' }] };

function start(drain: Readonly<Record<string, number>>): Promise<TestGateway> {
  const target = { provider: 'mock', model: 'mock:tokens=10,tps=50' };
  return startGateway({ config: { ...drain, models: { paced: { targets: [target] } } } });
}

test('a running stream ends whole while the server already reports not ready', async () => {
  const gateway = await start({ drain_delay_seconds: 0.3, drain_seconds: 10 });
  const stream = await gateway.chat(BODY);

  const closed = gateway.server.close('drain');
  const ready = await fetch(`${gateway.url}/health/ready`);
  const live = await fetch(`${gateway.url}/health/live`);
  const late = await gateway.chat({ ...BODY, stream: false });
  const text = await stream.text();
  await closed;

  assert.equal(ready.status, 503);
  assert.equal(live.status, 200);
  assert.equal(late.status, 200);
  assert.ok(text.endsWith('data: [DONE]\n\n'));
  await assert.rejects(fetch(`${gateway.url}/health/live`));
  await gateway.close();
});

test('a stream that is out of time ends with an error event, not silently', async () => {
  const gateway = await start({ drain_delay_seconds: 0, drain_seconds: 0.1 });
  const target = { provider: 'mock', model: 'mock:stall=3' };
  await gateway.configure({
    drain_delay_seconds: 0,
    drain_seconds: 0.1,
    models: { stalled: { targets: [target] } },
  });
  const stream = await gateway.chat({ ...BODY, model: 'stalled' });

  const closed = gateway.server.close('drain');
  const text = await stream.text();
  await closed;

  assert.match(text, /"code":"shutting_down"/);
  assert.ok(!text.includes('[DONE]'));
  await gateway.close();
});

test('a second wish to stop ends the waiting', async () => {
  const gateway = await start({ drain_delay_seconds: 60, drain_seconds: 60 });

  const closed = gateway.server.close('drain');
  await until('it is not ready', async () => {
    return (await fetch(`${gateway.url}/health/ready`)).status === 503;
  });
  const startedMs = performance.now();
  await gateway.server.close('now');
  await closed;

  assert.ok(performance.now() - startedMs < 5000);
  await gateway.close();
});
