/**
 * Output that nobody takes, or that cannot be written: the command as a process of its own, with
 * pipes that are closed under it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../../bin/esclusa.mjs', import.meta.url));

interface Ended {
  readonly exitCode: unknown;
  readonly err: string;
}

/** Runs the command with its output sent to `stdout`; `pipe` is closed before anything is read. */
async function run(words: readonly string[], stdout: 'pipe' | number): Promise<Ended> {
  const { PATH } = process.env;
  const env = { ...(PATH !== undefined && { PATH }), LANG: 'C' };
  const stdio = ['ignore', stdout, 'pipe'] as const;
  const child = spawn(process.execPath, [BIN, ...words], { env, stdio: [...stdio] });
  child.stdout?.destroy();
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, err };
}

describe('output', () => {
  for (const words of [['config', 'schema'], ['--help']]) {
    it(`of \`${words.join(' ')}\` that its reader had enough of ends quietly`, async () => {
      assert.deepEqual(await run(words, 'pipe'), { exitCode: 0, err: '' });
    });
  }

  const full = '/dev/full';
  it('that cannot be written is told in one line, exit code 1', {
    skip: existsSync(full) ? false : `there is no ${full} here`,
  }, async () => {
    const file = openSync(full, 'w');

    const { exitCode, err } = await run(['config', 'schema'], file);
    closeSync(file);

    assert.equal(exitCode, 1);
    assert.equal(err, 'Error: What there is to say cannot be written (ENOSPC).\n');
  });
});
