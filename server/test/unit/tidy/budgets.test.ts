/**
 * Goal: each budget of the house is kept to the line: at the limit passes, one past it fails.
 * Method: files made of as many lines as the case says, parsed like the real sources.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listLongFiles } from '../../support/tidy/budgets.ts';
import { parseProject } from '../../support/tidy/parse.ts';
import { breachesOf } from '../../support/tidy/small-project.ts';

function fileOf(lines: number): string {
  return '// a line\n'.repeat(lines - 1).concat('export {};\n');
}

/** A function of so many lines, first and last included, after a comment that does not count. */
function functionOf(lines: number): string {
  return `/** Not counted. */\nexport function long() {\n${'  // a line\n'.repeat(lines - 2)}}\n`;
}

describe('the budgets', () => {
  const cases: readonly (readonly [path: string, lines: number])[] = [
    ['server/src/kernel/a.ts', 400],
    ['server/src/gateway/pipeline/a.ts', 150],
    ['server/test/a.test.ts', 600],
    ['bench/a.ts', 400],
  ];
  for (const [path, lines] of cases) {
    it(`let ${path} have ${lines} lines and not one more`, () => {
      assert.deepEqual(breachesOf({ files: { [path]: fileOf(lines) } }), []);
      assert.deepEqual(breachesOf({ files: { [path]: fileOf(lines + 1) } }), [
        `${path}: has ${lines + 1} lines, at most ${lines}: split it by concern`,
      ]);
    });
  }

  it('let a function have 70 lines and not one more', () => {
    const path = 'server/src/kernel/a.ts';
    assert.deepEqual(breachesOf({ files: { [path]: functionOf(70) } }), []);
    assert.deepEqual(breachesOf({ files: { [path]: functionOf(71) } }), [
      `${path}: long has 71 lines, at most 70`,
    ]);
  });

  const body = `{\n${'  // a line\n'.repeat(70)}}`;
  for (const [kind, text, name] of [
    ['an arrow function', `export const f = () => ${body};\n`, 'f'],
    ['a method', `export class C { m() ${body} }\n`, 'm'],
    ['a property', `export const o = { p: function () ${body} };\n`, 'p'],
    ['a callback', `export const r = [1].map(() => ${body});\n`, 'a function without a name'],
  ] as const) {
    it(`measure ${kind}`, () => {
      assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': text } }), [
        `server/src/kernel/a.ts: ${name} has 72 lines, at most 70`,
      ]);
    });
  }

  it('measure the tests in a chapter, not the chapter', () => {
    const test = (lines: number) => `it('t', () => {\n${'// a line\n'.repeat(lines - 2)}});\n`;
    const chapter = (...tests: string[]) => `describe('c', () => {\n${tests.join('')}});\n`;
    const path = 'server/test/a.test.ts';

    assert.deepEqual(breachesOf({ files: { [path]: chapter(test(70), test(70)) } }), []);
    assert.deepEqual(breachesOf({ files: { [path]: chapter(test(70), test(71)) } }), [
      `${path}: 't' has 71 lines, at most 70`,
    ]);
  });

  it('let a line have 100 columns and not one more, counting characters', () => {
    const line = (columns: number) => `// ${'é'.repeat(columns - 3)}\nexport {};\n`;
    assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': line(100) } }), []);
    assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': line(101) } }), [
      'server/src/kernel/a.ts: has 101 columns, at most 100',
    ]);
  });

  it('let an address be as long as it is', () => {
    const text = `// https://example.org/${'a'.repeat(100)}\nexport {};\n`;
    assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': text } }), []);
  });

  it('exempt what is generated', () => {
    assert.deepEqual(breachesOf({ files: { 'storage/generated/a.ts': fileOf(500) } }), []);
  });

  it('list files over the soft limit without failing', () => {
    const sources = new Map([
      ['server/src/kernel/a.ts', fileOf(301)],
      ['server/src/kernel/b.ts', fileOf(300)],
      ['server/test/a.test.ts', fileOf(301)],
    ]);
    const lines = listLongFiles(parseProject(sources));
    assert.deepEqual(lines, ['server/src/kernel/a.ts has 301 lines (aim for 300)']);
  });
});
