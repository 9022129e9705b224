/**
 * Goal: what the guide to signing in tells people to type works as it is written, and what the
 * log says of the audit log's end is good for checking it.
 * Method: the whole program; the commands are taken out of the page and typed into a shell.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/afterwards.ts';
import { fencesOf } from '../support/docs/markdown.ts';
import { startGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { collectOutput } from '../support/log-load.ts';
import { register } from '../support/people.ts';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WRITTEN_URL = 'http://127.0.0.1:8000';
const run = promisify(execFile);

test('the commands from registration to sign-out print what the page says', async (t) => {
  const page = readFileSync(join(ROOT, 'docs/how-to/sign-in.md'), 'utf8');
  const [script] = fencesOf(page);
  const said = /It prints ([\d, ]+):/.exec(page)?.[1]?.split(', ');
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const text = script?.lines.join('\n') ?? '';
  assert.ok(text.includes(WRITTEN_URL));

  const { stdout } = await run('bash', ['-euc', text.replace(WRITTEN_URL, gateway.url)], {
    cwd: temporaryFolder(t),
  });

  assert.deepEqual(stdout.trim().split('\n'), said);
});

test('the log tells the end of the audit log, by which the chain is checked', async (t) => {
  const folder = join(temporaryFolder(t), 'data');
  const gateway = await startGatewayProcess(folder, { LOG_LEVEL: 'info' });
  const written = collectOutput(gateway);
  const told = async () => /"anchor":"(\d+:[0-9a-f]{64})"/.exec(written.text())?.[1];
  let anchor: string | undefined;
  try {
    await register(gateway.url, 'ana');
    anchor = await until('the anchor is told', told, 30_000);
  } finally {
    await gateway.kill('SIGTERM');
  }
  const verify = (given: string) =>
    run(process.execPath, [
      join(ROOT, 'bin/esclusa.mjs'),
      ...['audit', 'verify', '--anchor', given, '--data-dir', folder],
    ]);

  assert.match((await verify(anchor)).stdout, /\d+:[0-9a-f]{64}/);
  await assert.rejects(verify(anchor.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))));
});
