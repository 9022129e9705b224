/**
 * Goal: nothing is believed of a backup that was not counted, and no file is half of what a
 * restore made of it. Method: text as `pg_restore` writes it, cut anywhere; real files whose
 * moves fail or are cut off; programs that only say their version.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { countRows } from '../../../src/storage/backup/copied-rows.ts';
import { BackupError } from '../../../src/storage/backup/failure.ts';
import { findTool, startTool } from '../../../src/storage/backup/postgres-tools.ts';
import {
  carryOut,
  requireNoUnfinishedRestore,
  undoUnfinished,
} from '../../../src/storage/backup/restore-plan.ts';
import { temporaryFolder } from '../../support/afterwards.ts';

const NEVER = new AbortController().signal;
const TEXT = `--
SET row_security = on;
COPY public.keys (id, name) FROM stdin;
1\tCOPY public.other (id) FROM stdin;
2\t\\\\.
\\N\t${'x'.repeat(40_000)}
\\.
COPY public.empty (id) FROM stdin;
\\.
COPY public."Odd name" (id) FROM stdin;

\\.
SELECT 1;
`;

test('rows are counted wherever the text is cut, whatever stands in them', async () => {
  const bytes = Buffer.from(TEXT);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));

      const counts = await countRows(Readable.from(pieces.filter(({ length }) => length > 0)));

      assert.deepEqual(counts, { 'public.keys': 3, 'public."Odd name"': 1 });
    }),
    { numRuns: 60 },
  );
});

function files(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('moves that fail are taken back, and none is left half-done', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  for (const name of ['a', 'b', 'a.new']) writeFileSync(at(name), name);
  const before = files(folder);
  const moves = [
    { from: at('a'), to: at('a.old') },
    { from: at('a.new'), to: at('a') },
    { from: at('b'), to: at('a/is-no-folder') },
  ];

  await assert.rejects(
    carryOut(folder, moves, async () => undefined),
    /EEXIST|ENOTDIR/,
  );
  assert.deepEqual(files(folder), before);
  for (const [unsound, why] of [
    [{ from: at('gone'), to: at('c') }, /gone is missing/],
    [{ from: at('a'), to: at('b') }, /b is there already/],
  ] as const) {
    await assert.rejects(
      carryOut(folder, [unsound], async () => undefined),
      why,
    );
    assert.deepEqual(files(folder), before);
  }
  const refused = carryOut(folder, moves.slice(0, 2), () => Promise.reject(new Error('no')));
  await assert.rejects(refused, /^Error: no$/);
  assert.deepEqual(files(folder), before);

  await carryOut(folder, moves.slice(0, 2), async () => undefined);
  assert.deepEqual(files(folder), { a: 'a.new', 'a.old': 'a', b: 'b' });
});

test('moves that were cut off stop everybody until they are taken back', async (t) => {
  for (let done = 0; done <= 3; done += 1) {
    const folder = temporaryFolder(t);
    const at = (name: string) => join(folder, name);
    for (const name of ['a', 'a.new', 'b.new']) writeFileSync(at(name), name);
    const before = files(folder);
    const moves = [
      { from: at('a'), to: at('a.old') },
      { from: at('a.new'), to: at('a') },
      { from: at('b.new'), to: at('b') },
    ];
    // What a process that is killed after `done` moves leaves: the note, and those moves.
    let seen = 0;
    const stopped = new Promise<void>((resolve) => {
      void carryOut(folder, moves.slice(0, done), () => {
        seen = readdirSync(folder).length;
        resolve();
        return new Promise(() => undefined);
      });
    });
    await stopped;
    writeFileSync(at('restore.json'), JSON.stringify({ moves }));

    assert.ok(seen > 0);
    assert.throws(() => requireNoUnfinishedRestore(folder), { code: 'restore_unfinished' });
    await undoUnfinished(folder);
    assert.deepEqual(files(folder), before, `after ${done} moves`);
    requireNoUnfinishedRestore(folder);
  }
});

function program(folder: string, words: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pg_dump'), `#!/bin/sh\n${words}\n`);
  chmodSync(join(folder, 'pg_dump'), 0o755);
}

test('the client of the server’s version is taken, else a newer, never an older', async (t) => {
  const folder = temporaryFolder(t);
  for (const [place, version] of [
    ['path', '14.9'],
    ['packaged/15/bin', '15.4 (Debian 15.4-1)'],
    ['packaged/17/bin', '17.1'],
  ] as const) {
    program(join(folder, place), `echo "pg_dump (PostgreSQL) ${version}"`);
  }
  const find = (server: number, path = join(folder, 'path'), packaged = join(folder, 'packaged')) =>
    findTool('pg_dump', server, path, packaged);

  assert.equal((await find(14)).major, 14);
  assert.equal((await find(15)).major, 15);
  assert.equal((await find(16)).major, 17);
  await assert.rejects(find(18), {
    code: 'backup_tool_old',
    details: { tool: 'pg_dump', has: '17', version: '18' },
  });
  await assert.rejects(find(15, folder, join(folder, 'nowhere')), {
    code: 'backup_tool_missing',
    details: { tool: 'pg_dump', version: '15' },
  });
});

test('a client that fails is quoted without the password; one that hangs is ended', async (t) => {
  const folder = temporaryFolder(t);
  const tool = { name: 'pg_dump', file: join(folder, 'pg_dump'), major: 15 } as const;
  const env = { PATH: process.env.PATH ?? '', PGPASSWORD: 'top-secret' };
  program(folder, 'echo "pg_dump: error: password top-secret is wrong" >&2; exit 1');
  await assert.rejects(startTool(tool, [], env, NEVER).done, {
    code: 'backup_tool_failed',
    details: { tool: 'pg_dump', why: 'pg_dump: error: password [redacted] is wrong' },
  });

  program(folder, `touch ${join(folder, 'begun')}; exec sleep 600`);
  const stopping = new AbortController();
  const { done, child } = startTool(tool, [], env, stopping.signal);
  stopping.abort();

  await assert.rejects(
    done,
    (error) => error instanceof BackupError && error.code === 'interrupted',
  );
  assert.ok(child.killed);
  assert.ok(!existsSync(join(folder, 'restore.json')));
});
