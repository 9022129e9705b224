/**
 * Goal: however many requests there are, each leaves one line, and every line can be read; in
 * either form. Method: the command as a process of its own, thousands of calls at full speed,
 * every line it wrote read afterwards. How fast that was is told, not judged: `npm run chaos --
 * log-lines` judges it.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { callWhile, collectOutput } from '../support/log-load.ts';
import { until } from '../support/until.ts';

const CALLS = 3000;
const AT_ONCE = 24;
const TEXT_LINE =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - [\w.-]+ - (debug|info|warn|error) - \S/;

interface Line {
  readonly message: string;
  readonly context: { readonly request_id?: string };
}

test('thousands of requests leave a line of JSON each', async (t) => {
  const { ids, text, perSecond } = await linesOf(t, {});
  const lines = text.split('\n').filter((line) => line.startsWith('{"level"'));
  const ended = lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ message }) => message === 'request completed')
    .map(({ context }) => context.request_id);

  t.diagnostic(`${Math.round(perSecond)} lines per second`);
  assert.equal(ended.length, CALLS);
  assert.deepEqual(new Set(ended), new Set(ids));
});

test('as text each line is `time - name - level - message`', async (t) => {
  const { ids, text, perSecond } = await linesOf(t, { ENABLE_STRUCTURED_LOGGING: 'false' });
  const whole = text.split('\n').slice(0, -1);
  const first = whole.findIndex((line) => TEXT_LINE.test(line));
  const lines = whole.slice(first);
  const ended = lines.flatMap((line) => {
    assert.match(line, TEXT_LINE);
    return / - exchange - info - request completed .* request_id=(\S+)/.exec(line)?.[1] ?? [];
  });

  t.diagnostic(`${Math.round(perSecond)} lines per second`);
  assert.equal(ended.length, CALLS);
  assert.deepEqual(new Set(ended), new Set(ids));
});

test('the level follows the configuration without a restart', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, 'log: { level: error }\n');
  const gateway = await startGatewayProcess(join(folder, 'data'), {
    ...{ ESCLUSA_CONFIG: file, LOG_LEVEL: '' },
  });
  const written = collectOutput(gateway);
  try {
    const [quiet] = await callWhile(gateway.url, 1, (begun) => begun < 1);
    await writeFile(file, 'log: { level: debug }\n');
    const told = await until('a call leaves its two lines', async () => {
      const [id = ''] = await callWhile(gateway.url, 1, (begun) => begun < 1);
      const lines = () =>
        written
          .text()
          .split('\n')
          .filter((line) => line.includes(id));
      if (!written.text().includes('request started')) return null;
      return until('they are written out', () => (lines().length >= 2 ? lines() : null), 5000);
    });

    assert.deepEqual(
      told.map((line) => (JSON.parse(line) as Line).message),
      ['request started', 'request completed'],
    );
    assert.ok(!written.text().includes(quiet as string));
  } finally {
    await gateway.kill('SIGINT');
  }
});

async function linesOf(t: TestContext, env: Readonly<Record<string, string>>) {
  const gateway = await startGatewayProcess(temporaryFolder(t), { LOG_LEVEL: 'info', ...env });
  const written = collectOutput(gateway);
  const beganMs = performance.now();
  const ids = await callWhile(gateway.url, AT_ONCE, (begun) => begun < CALLS);
  const seconds = (performance.now() - beganMs) / 1000;
  await gateway.kill('SIGINT');
  return { ids, text: written.text(), perSecond: CALLS / seconds };
}
