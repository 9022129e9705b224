/**
 * Goal: a short command ends when its database is closed, not before. Method: a real process
 * with a real worker whose last answer comes while it is being ended.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../support/close-late-worker.ts', import.meta.url));

test('a process outlives its database worker, also where an answer comes late', () => {
  for (let round = 1; round <= 3; round += 1) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], { encoding: 'utf8' });

    assert.deepEqual([status, stdout], [0, 'closed\n'], stderr);
  }
});
