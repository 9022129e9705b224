/**
 * Goal: the page of attacks names the test of each, and every test it names is there.
 * Method: the rows of the page against the files it links; each row's name stands in at least
 * one of them, so that it is found by searching.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const PAGE = join(import.meta.dirname, '../../../../docs/attacks.md');
const EXPECTED = { B: 12, C: 3, D: 5, F: 6, H: 5 };
const ROW = /^\| ([A-Z]\d+) \|.*\| (.+) \|$/gm;
const LINK = /\]\(([^)]+\.ts)\)/g;

interface Row {
  readonly name: string;
  readonly files: readonly string[];
}

const rows: readonly Row[] = [...readFileSync(PAGE, 'utf8').matchAll(ROW)].map(
  ([, name = '', tests = '']) => ({
    name,
    files: [...tests.matchAll(LINK)].map(([, path = '']) => join(dirname(PAGE), path)),
  }),
);

test('every attack of the list has a row, once', () => {
  const names = Object.entries(EXPECTED).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, at) => `${letter}${at + 1}`),
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    names,
  );
});

test('every row names tests that exist, and one of them names the row', () => {
  for (const { name, files } of rows) {
    assert.ok(files.length > 0, `${name} names no test`);
    for (const file of files) assert.ok(existsSync(file), `${name}: ${file}`);
    const word = new RegExp(`\\b${name}\\b`);
    const naming = files.filter((file) => word.test(readFileSync(file, 'utf8')));
    assert.ok(naming.length > 0, `no test of ${name} says that it is one`);
  }
});
