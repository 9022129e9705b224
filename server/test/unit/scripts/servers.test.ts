/** What `npm test` does about servers that are missing, on each kind of machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureServers } from '../../../../scripts/test/servers.mjs';

interface Case {
  readonly present: readonly string[];
  readonly mayInstall?: boolean;
  readonly isCi?: boolean;
  /** What an installation brings. */
  readonly brings?: readonly string[];
}

function run({ present, mayInstall = false, isCi = false, brings = [] }: Case) {
  const there = new Set(present);
  const lines: string[] = [];
  const installed: string[] = [];
  const goesOn = ensureServers((line: string) => lines.push(line), {
    has: (name: string) => there.has(name),
    mayInstall,
    isCi,
    install(packages: readonly string[]) {
      installed.push(...packages);
      for (const program of brings) there.add(program);
      return brings.length > 0;
    },
  });
  return { goesOn, lines, installed };
}

const EVERY = ['redis-server', 'postgres', 'nginx', 'promtool'];
const without = (name: string) => EVERY.filter((each) => each !== name);

test('nothing is said where all are there', () => {
  const result = run({ present: EVERY, mayInstall: true, isCi: true });
  assert.deepEqual(result, { goesOn: true, lines: [], installed: [] });
});

test('only what is missing is installed', () => {
  const { goesOn, installed } = run({
    ...{ present: without('redis-server'), mayInstall: true, brings: ['redis-server'] },
  });
  assert.equal(goesOn, true);
  assert.deepEqual(installed, ['redis-server']);
});

test('one line says what to install where that is not ours to do', () => {
  const { goesOn, lines, installed } = run({ present: ['nginx', 'promtool'] });
  assert.equal(goesOn, true);
  assert.deepEqual(installed, []);
  assert.deepEqual(lines, [
    'Tests that start redis-server and postgres will fail: install them ' +
      '(on Debian: apt-get install -y redis-server postgresql)',
  ]);
});

test('under CI a missing server is a failure, also after a failed installation', () => {
  assert.equal(run({ present: without('redis-server'), isCi: true }).goesOn, false);
  assert.equal(
    run({ present: without('redis-server'), isCi: true, mayInstall: true }).goesOn,
    false,
  );
});
