/**
 * Goal: an error that nobody caught is told without what hangs on it, and costs no more than it
 * must. Method: the command as a process of its own, made to fail from within; everything it
 * wrote is searched for what the errors carried.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { callWhile } from '../support/log-load.ts';
import { until } from '../support/until.ts';

const PRELOAD = new URL('../support/failing-process.mjs', import.meta.url).href;
const PLANTED = {
  secret: 'sk-canary-crash-91bd07',
  password: 'canary-password-of-the-database',
  prompt: 'canary-prompt-of-the-crash',
};

interface Line {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly exception?: { readonly type: string; readonly message: string };
}

let folder: string;
let gateway: GatewayProcess;
let written = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-crash-'));
  gateway = await startGatewayProcess(folder, {
    ...{ NODE_OPTIONS: `--import=${PRELOAD}`, FAILING_WITH: JSON.stringify(PLANTED) },
  });
  for (const stream of [gateway.child.stdout, gateway.child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
  }
});

after(async () => {
  gateway.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function told(): Line[] {
  const lines = written.split('\n').filter((line) => line.startsWith('{"level"'));
  return lines.map((line) => JSON.parse(line) as Line).filter(({ logger }) => logger === 'process');
}

function assertNothingPlanted(): void {
  for (const [name, text] of Object.entries(PLANTED)) assert.ok(!written.includes(text), name);
}

test('a rejection that nobody handled leaves a line, and the process goes on', async () => {
  gateway.child.kill('SIGUSR2');
  const lines = await until('both are told', () => (told().length >= 2 ? told() : null));
  const [id] = await callWhile(gateway.url, 1, (begun) => begun < 1);

  assert.deepEqual(
    lines.map(({ level, exception }) => [level, exception?.type]),
    [
      ['error', 'Error'],
      ['error', 'SyntaxError'],
    ],
  );
  assert.match(lines[0]?.exception?.message ?? '', /the vendor said: .*\[redacted\]/);
  assert.match(String(id), /^req_/);
  assertNothingPlanted();
});

test('an exception that nobody caught ends the process with a line of the log', async () => {
  const gone = once(gateway.child, 'close');
  gateway.child.kill('SIGPIPE');
  const [code] = await gone;

  assert.equal(code, 1);
  assert.match(told().at(-1)?.message ?? '', /the process ends/);
  assert.ok(!written.includes('node:internal/process'), 'no report of Node');
  assertNothingPlanted();
});
