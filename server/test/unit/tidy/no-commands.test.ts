/**
 * Goal: nothing that comes from outside becomes a command, code, a module, a pattern or SQL
 * (attack D5). Method: the sources are read; what could do that stands in few named places,
 * each with why it is none, and a new one fails here until somebody has looked at it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCES = join(import.meta.dirname, '../../../src');

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: code(readFileSync(join(SOURCES, name), 'utf8')) }));

/** Without comments, which may speak of anything. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function placesOf(pattern: RegExp): readonly string[] {
  return files
    .filter(({ text }) => pattern.test(text))
    .map(({ name }) => name.replaceAll('\\', '/'));
}

test('D5: enough sources were read', () => {
  assert.ok(files.length > 500, `${files.length} files`);
});

test('D5: no text is run as code', () => {
  assert.deepEqual(placesOf(/\beval\(|\bnew Function\(|node:vm\b|\bvm\.run/), []);
  assert.deepEqual(placesOf(/node:(inspector|repl|wasi)\b/), []);
});

test('D5: no module is loaded by a name that is not written in the source', () => {
  assert.deepEqual(placesOf(/\bimport\((?!\s*['"])/), []);
  assert.deepEqual(placesOf(/\brequire\((?!['"])/), []);
  // A list of passwords inside of a package, by a name that is written there.
  assert.deepEqual(placesOf(/createRequire/), ['identity/passwords/listed.ts']);
});

test('D5: commands are run by backups alone, and none through a shell', () => {
  const places = placesOf(/node:child_process/);
  assert.deepEqual(
    places.filter((name) => !name.startsWith('storage/backup/')),
    [],
  );
  assert.deepEqual(placesOf(/\bexecSync?\(|shell: true/), []);
});

/** A pattern that is put together: from what, in each place. */
const PATTERNS: Readonly<Record<string, string>> = {
  'config/price-list.ts':
    'the list of prices that the operator refreshes, read by the command line',
  'config/schema/tracing.ts': 'constants of its own file',
  'config/source/references.ts': 'constants of its own file',
  'http/absent-endpoints.ts': 'a list of its own file',
  'http/admin/not-found.ts': 'the paths of routes, at the start',
  'providers/mock/prose.ts': 'lists of words of its own file',
  'storage/engines/postgres/sqlstate.ts': 'constants of its own file',
  'storage/engines/postgres/text.ts': 'constants of its own file',
  'telemetry/redact.ts': 'constants of its own file',
};

test('D5: patterns that are put together are made of what stands in the sources', () => {
  assert.deepEqual([...placesOf(/\bRegExp\(/)].sort(), Object.keys(PATTERNS).sort());
});

test('D5: SQL that is not bound is made of constants, in the rooms of storage alone', () => {
  const places = placesOf(/\bsql\.raw\(|\bsql\.lit\(/);
  assert.deepEqual(
    places.filter((name) => !name.startsWith('storage/')),
    [],
  );
  const made = files.flatMap(({ name, text }) =>
    [...text.matchAll(/\bsql\.raw\(([^)]*)\)/g)].map(([, what = '']) => `${name}: ${what}`),
  );
  // A name in capitals is a constant; the others take from a table of constants by a known name.
  const others = made.filter((each) => !/: [A-Z_]+$/.test(each));
  assert.deepEqual(others.sort(), KNOWN_RAW);
});

const KNOWN_RAW = [
  'storage/engines/postgres/grants.ts: rights',
  'storage/repositories/usage-query.ts: DIMENSIONS[dimension][source]',
];
