/**
 * The cache is covered by its own tests, its shared tier by those on a real Redis, to the last
 * line and branch. Its tests are run again
 * under the coverage of Node; the files seen are compared with the folder, so that one that no
 * test loads fails too.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const COVERED = [
  'server/src/gateway/caching/*.ts',
  'server/src/gateway/pipeline/{cache,fly,flight-source,keep,give-stored,revalidate}.ts',
  'server/src/gateway/pipeline/{share-stream,shared-answer,total-deadline}.ts',
  'server/src/gateway/pipeline/{guard,watch-frames}.ts',
  'server/src/stores/memory/cache-store.ts',
  'server/src/stores/cache-book.ts',
  'server/src/stores/redis/{cache-store,entry-codec,generations,keys,sweep}.ts',
  'server/src/stores/redis/{flight-*,shared-*}.ts',
];

const TESTS = [
  'server/test/unit/caching/*.test.ts',
  'server/test/unit/pipeline/{cache*,total-deadline}.test.ts',
  'server/test/unit/redis/{cache-book,cache-store,entry-codec,flight-codec}.test.ts',
  'server/test/unit/redis/{keys,shared-figures}.test.ts',
  'server/test/contract/cache-store.{memory,redis}.test.ts',
  'server/test/contract/shared-flights.redis.test.ts',
];

/** A file of the stores that is part of the cache. */
const ADAPTS = /gateway\/ports\/(?:cache-store|shared-flights)\.ts|cache-book\.ts/;

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

test('every line and branch of the cache is run by its tests', { timeout: 120_000 }, async () => {
  const files = globSync(COVERED, { cwd: ROOT }).toSorted();
  const tests = globSync(TESTS, { cwd: ROOT });
  assert.ok(files.length > 28 && tests.length > 16, 'the patterns find files');

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...['--test', '--experimental-test-coverage', '--test-reporter=lcov'],
      ...COVERED.map((pattern) => `--test-coverage-include=${pattern}`),
      ...tests,
    ],
    { cwd: ROOT, maxBuffer: OUTPUT_MAX_BYTES, env: withoutRunner(process.env) },
  );

  const { seen, missed } = readReport(stdout);
  assert.deepEqual(missed, []);
  assert.deepEqual(seen, files);
});

test('every adapter of the cache and its flights is among the covered files', () => {
  const covered = globSync(COVERED, { cwd: ROOT });
  const adapters = globSync('server/src/stores/**/*.ts', { cwd: ROOT }).filter((file) =>
    ADAPTS.test(readFileSync(join(ROOT, file), 'utf8')),
  );

  assert.ok(adapters.length > 5, 'there are adapters');
  assert.deepEqual(
    adapters.filter((file) => !covered.includes(file)),
    [],
  );
});

/** The variables by which a test runner knows that it runs within another, which stops it. */
function withoutRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, NODE_V8_COVERAGE: __, ...rest } = env;
  return rest;
}

/** In the format of lcov: `SF` begins a file, `DA` is a line, `BRDA` a branch, with its count. */
function readReport(report: string): { seen: string[]; missed: string[] } {
  const seen: string[] = [];
  const missed: string[] = [];
  for (const line of report.split('\n')) {
    const [kind = '', rest = ''] = line.split(/:(.*)/s);
    if (kind === 'SF') seen.push(rest.replaceAll('\\', '/'));
    const isMissed = (kind === 'DA' || kind === 'BRDA') && rest.split(',').at(-1) === '0';
    if (isMissed) missed.push(`${seen.at(-1)}:${rest.split(',')[0]}`);
  }
  return { seen: seen.toSorted(), missed };
}
