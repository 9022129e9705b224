/**
 * Goal: the tidy test sees a cycle, a dead file, an import that leads nowhere, and that it looked
 * at nothing. Method: small projects, parsed like the real sources.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseProject } from '../../support/tidy/parse.ts';
import { breachesOf } from '../../support/tidy/small-project.ts';
import { findBreaches } from '../../support/tidy/tidy.ts';

const EMPTY = 'export {};\n';
const NOT_REACHED = 'neither server/src/main.ts nor server/src/cli/index.ts leads to it';

describe('the import graph', () => {
  it('refuses two files that import each other, also by types only', () => {
    const files = {
      'kernel/a.ts': `import type { B } from './b.ts';\nexport type A = B;\n`,
      'kernel/b.ts': `import type { A } from './a.ts';\nexport type B = A;\n`,
    };

    assert.deepEqual(breachesOf({ files }), [
      'server/src/kernel/a.ts: import cycle: ' +
        'server/src/kernel/a.ts → server/src/kernel/b.ts → server/src/kernel/a.ts',
    ]);
  });

  it('draws a longer cycle once, by its shortest way around', () => {
    const files = {
      'kernel/a.ts': `import './b.ts';\n`,
      'kernel/b.ts': `import './c.ts';\n`,
      'kernel/c.ts': `import './b.ts';\nimport './a.ts';\n`,
    };

    assert.deepEqual(breachesOf({ files }), [
      'server/src/kernel/a.ts: import cycle: server/src/kernel/a.ts → server/src/kernel/b.ts → ' +
        'server/src/kernel/c.ts → server/src/kernel/a.ts',
    ]);
  });

  it('refuses a file that imports itself', () => {
    assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': `import './a.ts';\n` } }), [
      'server/src/kernel/a.ts: import cycle: server/src/kernel/a.ts → server/src/kernel/a.ts',
    ]);
  });

  it('lets two ways lead to the same file', () => {
    const files = {
      'kernel/a.ts': `import './b.ts';\nimport './c.ts';\n`,
      'kernel/b.ts': `import './d.ts';\n`,
      'kernel/c.ts': `import './d.ts';\n`,
      'kernel/d.ts': EMPTY,
    };
    assert.deepEqual(breachesOf({ files }), []);
  });

  it('refuses a source file that the program does not reach', () => {
    const found = breachesOf({ files: { 'kernel/a.ts': EMPTY }, unreached: ['kernel/a.ts'] });
    assert.deepEqual(found, [`server/src/kernel/a.ts: is outside of the graph: ${NOT_REACHED}`]);
  });

  it('does not take a test for a reason that a source file is there', () => {
    const files = {
      'kernel/a.ts': EMPTY,
      'server/test/a.test.ts': `import '../src/kernel/a.ts';\n`,
    };
    assert.deepEqual(breachesOf({ files, unreached: ['kernel/a.ts'] }), [
      `server/src/kernel/a.ts: is outside of the graph: ${NOT_REACHED}`,
    ]);
  });

  it('reaches a worker by the address it is loaded from, also a computed one', () => {
    const text = [
      `export const one = new URL('./one.ts', import.meta.url);`,
      'export const more = (n: 1) => new URL(`./w-$' + '{n}.ts`, import.meta.url);',
      '',
    ].join('\n');
    const files = { 'storage/a.ts': text, 'storage/one.ts': EMPTY, 'storage/w-2.ts': EMPTY };
    assert.deepEqual(breachesOf({ files, unreached: ['storage/one.ts', 'storage/w-2.ts'] }), []);
  });

  it('refuses test support that no test uses', () => {
    const files = {
      'server/test/support/used.ts': EMPTY,
      'server/test/support/unused.ts': EMPTY,
      'server/test/a.test.ts': `import './support/used.ts';\n`,
    };
    assert.deepEqual(breachesOf({ files }), [
      'server/test/support/unused.ts: is outside of the graph: no test file leads to it',
    ]);
  });

  it('refuses an import of a file that is not there, and by a package name of ours', () => {
    const files = { 'kernel/a.ts': `import './gone.ts';\nimport '@esclusa/server';\n` };
    const found = breachesOf({ files });
    for (const to of ['server/src/kernel/gone.ts', '@esclusa/server']) {
      const line = `server/src/kernel/a.ts: imports ${to}, which is not a file of the project`;
      assert.ok(found.includes(line), found.join('\n'));
    }
  });

  it('fails on a project without its entries', () => {
    const project = parseProject(new Map([['server/src/kernel/a.ts', EMPTY]]));
    const messages = findBreaches({ project, catalogueNames: [] }).map(({ path }) => path);
    assert.deepEqual(messages, ['server/src/main.ts', 'server/src/cli/index.ts']);
  });

  it('fails on zero files seen', () => {
    const project = parseProject(new Map([['server/test/a.test.ts', EMPTY]]));
    const messages = findBreaches({ project, catalogueNames: [] }).map(({ message }) => message);
    assert.ok(messages.includes('no source file was seen'), messages.join('\n'));
  });
});
