/**
 * Goal: several workers export the traces of their own calls, and lose none when they stop.
 * Method: the command with two workers over a real Redis, calls over connections of their own, a
 * collector that is sent nothing before the end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { callWhile } from '../support/log-load.ts';
import { startCollector } from '../support/otlp/collector.ts';
import { startRedis } from '../support/redis-server.ts';

const CALLS = 200;
const AT_ONCE = 16;

test('each worker exports its calls, and what waits when it is told to go', async (t) => {
  const folder = temporaryFolder(t);
  const redis = await startRedis(t);
  const collector = await startCollector();
  const gateway = await startGatewayProcess(folder, {
    ...{ ESCLUSA_WORKERS: '2', REDIS_URL: redis.url, OTEL_SERVICE_NAME: 'two-of-them' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '60000' },
  });
  try {
    const ids = await callWhile(gateway.url, AT_ONCE, (begun) => begun < CALLS);
    await gateway.kill('SIGINT');

    const servers = collector.spans.filter(({ kind }) => kind === 2);
    const told = servers.map(({ attributes }) => attributes['esclusa.request_id']);
    assert.deepEqual(new Set(told), new Set(ids));
    assert.equal(told.length, CALLS);
    const names = servers.map(({ resource }) => resource['service.name']);
    const instances = servers.map(({ resource }) => resource['service.instance.id']);
    assert.deepEqual(new Set(names), new Set(['two-of-them']));
    assert.equal(new Set(instances).size, 2);
  } finally {
    gateway.child.kill('SIGKILL');
    await collector.close();
  }
});
