/**
 * Goal: `npm test` cannot pass by accident. Method: test files written to a temporary folder and
 * run by the runner itself, each in a real process.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFile } from '../../../../scripts/test/run-file.mjs';
import { temporaryFolder } from '../../support/afterwards.ts';
import { until } from '../../support/until.ts';

const IMPORT = `import { test } from 'node:test';\n`;

type Run = { readonly folder: string; readonly outcome: ReturnType<typeof runFile> };

function run(t: TestContext, text: string, signal = new AbortController().signal): Run {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'it.test.mjs'), text);
  const outcome = runFile({
    file: 'it.test.mjs',
    root: folder,
    scratch: folder,
    flags: [],
    signal,
  });
  return { folder, outcome };
}

async function verdictOf(t: TestContext, text: string): Promise<unknown> {
  const { counts, failures } = await run(t, text).outcome;
  const { passed, failed, skipped } = counts;
  return { passed, failed, skipped, failures: failures.map(({ title }) => title) };
}

test('a file counts what passed, failed and was skipped, and names what failed', async (t) => {
  const text = `${IMPORT}
    test('good', () => {});
    test('not now', { skip: true }, () => {});
    test('outer', (t) => t.test('inner', () => { throw new Error('no'); }));`;

  assert.deepEqual(await verdictOf(t, text), {
    passed: 1,
    // The inner test, and the outer one because of it.
    failed: 2,
    skipped: 1,
    failures: ['outer › inner'],
  });
});

const WHOLE = { passed: 0, failed: 1, skipped: 0, failures: ['the file as a whole'] };

test('a file without a test has failed', async (t) => {
  assert.deepEqual(await verdictOf(t, 'export {};\n'), WHOLE);
});

test('a file that cannot be loaded has failed', async (t) => {
  assert.deepEqual(await verdictOf(t, `import './gone.mjs';\n`), WHOLE);
});

test('a file that leaves before its tests have run has failed', async (t) => {
  assert.deepEqual(await verdictOf(t, `${IMPORT}test('t', () => process.exit(0));\n`), WHOLE);
});

test('a file that is stopped has failed, and what it started ends with it', async (t) => {
  const text = `${IMPORT}
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    test('waits', { timeout: 60_000 }, async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      writeFileSync('pid', String(child.pid));
      await new Promise(() => {});
    });
    setInterval(() => {}, 1000);`;
  const stopping = new AbortController();
  const { folder, outcome } = run(t, text, stopping.signal);
  const pid = Number(await until('the file has started its child', () => readPid(folder)));

  stopping.abort();
  const { failures } = await outcome;

  assert.deepEqual(
    failures.map(({ message }) => message),
    ['interrupted'],
  );
  await until('the child is gone', () => !isRunning(pid));
});

function readPid(folder: string): string {
  try {
    return readFileSync(join(folder, 'pid'), 'utf8');
  } catch {
    return '';
  }
}

/** False also for a process that has ended and that nobody has asked about yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = `/proc/${pid}/stat`;
  return !existsSync(state) || !readFileSync(state, 'utf8').includes(') Z ');
}
