/**
 * Goal: lines are written in order, once, and a destination in trouble costs lines, never the
 * program. Method: real files, pipes and /dev/full; child processes where an exit matters.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createLogSink } from '../../../src/telemetry/log-sink.ts';
import { temporaryFolder } from '../../support/afterwards.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i} ${'ñ'.repeat(40)}`);
}

test('closing writes out every line in order, a folder is made for the file', async (t) => {
  const directory = temporaryFolder(t);
  const path = join(directory, 'deep', 'esclusa.log');
  const sink = createLogSink(path, true, systemClock);

  for (const line of numbered(0, 3000)) sink.write(`${line}\n`);
  await new Promise((resolve) => setImmediate(resolve));
  for (const line of numbered(3000, 3100)) sink.write(`${line}\n`);
  await sink.close();

  assert.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n'), numbered(0, 3100));
  assert.equal(sink.dropped(), 0);
});

test('a flush for the last moment writes what waits at once', async (t) => {
  const directory = temporaryFolder(t);
  const path = join(directory, 'esclusa.log');
  const sink = createLogSink(path, true, systemClock);
  sink.write('waiting\n');
  assert.equal(readFileSync(path, 'utf8'), '');

  sink.flushSync();

  assert.equal(readFileSync(path, 'utf8'), 'waiting\n');
  await sink.close();
});

test('a single line is written after half a second without company', async (t) => {
  const path = join(temporaryFolder(t), 'esclusa.log');
  const clock = createManualClock();
  const sink = createLogSink(path, true, clock);
  sink.write('alone\n');

  clock.advance(499);
  assert.equal(clock.pendingTimers(), 1, 'it waits for company');
  clock.advance(1);
  await until('the line is written', () => readFileSync(path, 'utf8') === 'alone\n');

  await sink.close();
});

test('an unbatched line is written at once, whatever the clock says', async (t) => {
  const path = join(temporaryFolder(t), 'esclusa.log');
  const clock = createManualClock();
  const sink = createLogSink(path, false, clock);

  sink.write('alone\n');
  await until('the line is written', () => readFileSync(path, 'utf8') === 'alone\n');

  assert.equal(clock.pendingTimers(), 0);
  await sink.close();
});

test('a file that cannot be opened stops the start', (t) => {
  const directory = temporaryFolder(t);
  assert.throws(() => createLogSink(directory, true, systemClock), { code: 'EISDIR' });
});

test('lines after closing are counted as lost', async (t) => {
  const directory = temporaryFolder(t);
  const sink = createLogSink(join(directory, 'esclusa.log'), true, systemClock);
  await sink.close();
  await sink.close();

  sink.write('late\n');
  sink.flushSync();

  assert.equal(sink.dropped(), 1);
});

function module(path: string): string {
  return JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
}

const OPEN = `
  import { systemClock } from ${module('kernel/clock.ts')};
  import { createLogSink } from ${module('telemetry/log-sink.ts')};
`;

const FULL_DISK = `${OPEN}
  const sink = createLogSink('/dev/full', true, systemClock);
  for (let i = 0; i < 100; i += 1) sink.write('x'.repeat(1000) + '\\n');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = sink.dropped();
  if (process.argv[1] === 'close') await sink.close();
  sink.flushSync();
  process.stdout.write(before + ' ' + sink.dropped());
`;

test('a full disk keeps lines until the end and loses them then, without harm', {
  skip: !existsSync('/dev/full'),
}, () => {
  for (const mode of ['close', 'exit']) {
    const args = ['--input-type=module', '-e', FULL_DISK, mode];
    const child = spawnSync(process.execPath, args, { timeout: 20_000 });

    assert.equal(child.stdout.toString(), '0 100', child.stderr.toString());
    assert.equal(child.status, 0);
  }
});

const FLOOD = `${OPEN}
  const sink = createLogSink(1, true, systemClock);
  const before = process.memoryUsage().rss;
  const line = 'x'.repeat(1023) + '\\n';
  for (let i = 0; i < 50_000; i += 1) {
    sink.write(line);
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const grown = process.memoryUsage().rss - before;
  process.stderr.write(JSON.stringify({ dropped: sink.dropped(), grown }));
  process.exit(0);
`;

test('a reader that stands still costs bounded memory and counted lines, not the exit', (t) => {
  const directory = temporaryFolder(t);
  const path = join(directory, 'pipe');
  spawnSync('sh', ['-c', 'mkfifo "$1"', 'sh', path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK); // and never read
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', FLOOD], {
    stdio: ['ignore', pipe, 'pipe'],
    timeout: 20_000,
  });
  closeSync(pipe);

  assert.equal(child.status, 0, child.stderr.toString());
  const { dropped, grown } = JSON.parse(child.stderr.toString()) as Record<string, number>;
  assert((dropped ?? 0) > 30_000, child.stderr.toString());
  assert((grown ?? 0) < 64 * 1024 * 1024, child.stderr.toString());
});

const SLOW_READER = `${OPEN}
  const sink = createLogSink(1, true, systemClock);
  for (let i = 0; i < 3000; i += 1) {
    sink.write('line ' + i + ' ' + 'x'.repeat(500) + '\\n');
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await sink.close();
  process.stderr.write(String(sink.dropped()));
`;

test('a slow reader of a pipe gets every line in order', (t) => {
  const directory = temporaryFolder(t);
  const script = join(directory, 'slow.mjs');
  const output = join(directory, 'output');
  writeFileSync(script, SLOW_READER);
  const command = `"$1" "$2" | { while IFS= read -r line; do echo "$line"; done; } > "$3"`;
  const child = spawnSync('sh', ['-c', command, 'sh', process.execPath, script, output], {
    timeout: 20_000,
  });

  const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
  assert.equal(child.stderr.toString(), '0');
  assert.deepEqual(
    lines.map((line) => Number(line.split(' ')[1])),
    Array.from({ length: 3000 }, (_, i) => i),
  );
});

const GONE_READER = `${OPEN}
  const sink = createLogSink(1, true, systemClock);
  for (let i = 0; i < 200; i += 1) {
    sink.write('x'.repeat(1000) + '\\n');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  sink.flushSync();
  await sink.close();
  process.stderr.write(String(sink.dropped()));
`;

test('a reader that goes away costs lines, not the program', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', GONE_READER]);
  child.stdout.once('data', () => child.stdout.destroy());
  let report = '';
  child.stderr.on('data', (data) => {
    report += String(data);
  });
  const status = await new Promise((resolve) => child.once('exit', resolve));

  assert.equal(status, 0, report);
  assert(Number(report) > 0, report);
});
