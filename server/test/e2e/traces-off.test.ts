/**
 * Goal: who wants no traces pays nothing for them. Method: the command as a process of its own
 * that writes down every module it loads, with a collector configured and without.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startCollector } from '../support/otlp/collector.ts';

const PRELOAD = new URL('../support/loaded-modules.mjs', import.meta.url).href;
const TRACING = /telemetry\/tracing\/|@opentelemetry\/(otlp|sdk|resources|core)/;

test('without a collector nothing of traces is loaded, not even by a call', async (t) => {
  const loaded = await modulesLoaded(t, {});

  assert.ok(
    loaded.some((url) => url.includes('telemetry/observer')),
    'modules were seen',
  );
  assert.deepEqual(
    loaded.filter((url) => TRACING.test(url)),
    [],
  );
});

test('with a collector the library of traces is loaded', async (t) => {
  const collector = await startCollector();
  try {
    const loaded = await modulesLoaded(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    assert.ok(loaded.some((url) => url.includes('otlp-transformer')));
    assert.ok(collector.spans.length > 0, 'spans were sent when it stopped');
  } finally {
    await collector.close();
  }
});

/** Of a process that started, answered one call and was told to stop. */
async function modulesLoaded(
  t: TestContext,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = temporaryFolder(t);
  const list = join(folder, 'modules');
  const gateway = await startGatewayProcess(join(folder, 'data'), {
    ...{ NODE_OPTIONS: `--import=${PRELOAD}`, LOADED_MODULES: list, ...env },
  });
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await answer.text();
  assert.equal(answer.status, 200);
  await gateway.kill('SIGINT');
  return (await readFile(list, 'utf8')).split('\n');
}
