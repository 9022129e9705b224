/**
 * Goal: the tidy test sees every breach of the import table, and lets pass what a row allows.
 * Method: one import per small project, parsed like the real sources; each refused import has an
 * allowed twin from the same room.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { breachesOf } from '../../support/tidy/small-project.ts';

/** Room of the importing file, what it may import, and what it may not. */
const ROWS: readonly (readonly [
  from: string,
  may: readonly string[],
  mayNot: readonly string[],
])[] = [
  ['kernel/a.ts', ['kernel/b.ts'], ['wire/openai/b.ts', 'config/b.ts', 'contracts']],
  ['wire/openai/a.ts', ['kernel/b.ts', 'wire/openai/b.ts'], ['gateway/model/b.ts', 'contracts']],
  ['config/a.ts', ['kernel/b.ts', 'providers/x/settings.ts'], ['providers/x/adapter.ts']],
  ['gateway/model/a.ts', ['kernel/b.ts'], ['gateway/ports/b.ts', 'wire/openai/b.ts']],
  ['gateway/ports/a.ts', ['gateway/model/b.ts', 'kernel/b.ts'], ['gateway/routing/b.ts']],
  ['gateway/resilience/a.ts', ['gateway/ports/b.ts'], ['gateway/routing/b.ts']],
  ['gateway/routing/a.ts', ['gateway/model/b.ts'], ['gateway/caching/b.ts']],
  ['gateway/caching/a.ts', ['kernel/b.ts'], ['gateway/pipeline/b.ts']],
  ['gateway/limits/a.ts', ['gateway/ports/b.ts'], ['stores/memory/b.ts']],
  ['gateway/accounting/a.ts', ['gateway/model/b.ts'], ['config/b.ts']],
  ['gateway/guardrails/a.ts', ['kernel/b.ts'], ['telemetry/b.ts']],
  ['gateway/pipeline/a.ts', ['gateway/limits/b.ts', 'kernel/b.ts'], ['wire/openai/b.ts']],
  ['gateway/index.ts', ['gateway/pipeline/b.ts'], ['kernel/b.ts']],
  [
    'providers/x/a.ts',
    ['wire/openai/b.ts', 'gateway/model/b.ts', 'gateway/ports/b.ts', 'providers/shared.ts'],
    ['providers/y/b.ts', 'gateway/index.ts', 'gateway/pipeline/b.ts', 'providers/registry.ts'],
  ],
  ['providers/registry.ts', ['providers/x/b.ts'], ['config/b.ts', 'providers/index.ts']],
  ['providers/index.ts', ['providers/registry.ts', 'providers/x/b.ts'], ['gateway/index.ts']],
  ['identity/a.ts', ['gateway/index.ts', 'identity/ports/b.ts', 'contracts'], ['tenancy/b.ts']],
  ['tenancy/a.ts', ['gateway/index.ts', 'kernel/b.ts'], ['gateway/model/b.ts']],
  ['operations/a.ts', ['contracts'], ['storage/b.ts']],
  ['learning/domain/a.ts', ['learning/ports/b.ts', 'kernel/b.ts'], ['gateway/index.ts']],
  ['workflows/engine/a.ts', ['contracts'], ['learning/index.ts']],
  ['bridges/a.ts', ['gateway/index.ts', 'learning/ports/b.ts'], ['gateway/pipeline/b.ts']],
  ['storage/a.ts', ['gateway/ports/b.ts', 'identity/ports/b.ts'], ['identity/b.ts', 'contracts']],
  ['stores/redis/a.ts', ['gateway/model/b.ts'], ['gateway/caching/b.ts']],
  ['transport/a.ts', ['gateway/ports/b.ts'], ['providers/x/b.ts']],
  ['telemetry/a.ts', ['kernel/b.ts'], ['gateway/index.ts']],
  [
    'http/a.ts',
    ['gateway/index.ts', 'learning/index.ts', 'wire/openai/b.ts', 'contracts', 'kernel/b.ts'],
    ['gateway/model/b.ts', 'identity/b.ts', 'config/b.ts', 'providers/x/b.ts'],
  ],
  ['cluster/a.ts', ['config/b.ts', 'stores/memory/b.ts', 'kernel/b.ts'], ['gateway/index.ts']],
  ['app/a.ts', ['storage/b.ts', 'providers/registry.ts', 'contracts'], ['cli/b.ts', 'main.ts']],
  ['cli/a.ts', ['app/b.ts', 'cluster/b.ts', 'config/b.ts', 'identity/index.ts'], ['storage/b.ts']],
];

const EMPTY = 'export {};\n';

function importing(from: string, to: string): Record<string, string> {
  const up = '../'.repeat(from.split('/').length - 1) || './';
  const specifier = to === 'contracts' ? '@esclusa/contracts' : `${up}${to}`;
  const target = to === 'contracts' ? 'contracts/src/index.ts' : to;
  return { [target]: EMPTY, [from]: `import type {} from '${specifier}';\n` };
}

describe('the import table', () => {
  for (const [from, may, mayNot] of ROWS) {
    for (const to of may) {
      it(`lets ${from} import ${to}`, () => {
        assert.deepEqual(breachesOf({ files: importing(from, to) }), []);
      });
    }
    for (const to of mayNot) {
      it(`refuses that ${from} imports ${to}`, () => {
        const unreached = from.startsWith('app/') ? [from] : [];
        const found = breachesOf({ files: importing(from, to), unreached });

        const target = to === 'contracts' ? 'contracts' : to;
        const breach = found.find((line) => line.includes(`imports ${target}: `));
        assert.ok(breach?.startsWith(`server/src/${from}: `), found.join('\n') || 'nothing found');
      });
    }
  }

  it('names the room and what it may import', () => {
    assert.deepEqual(breachesOf({ files: importing('wire/openai/a.ts', 'config/b.ts') }), [
      'server/src/wire/openai/a.ts: imports config/b.ts: wire may import kernel/**',
    ]);
  });

  for (const how of [
    `import { b } from '../config/b.ts';\nexport const c = b;`,
    `import type { B } from '../config/b.ts';\nexport type C = B;`,
    `export { b } from '../config/b.ts';`,
    `export * from '../config/b.ts';`,
    `export type C = import('../config/b.ts').B;`,
    `export const load = () => import('../config/b.ts');`,
    `export const address = new URL('../config/b.ts', import.meta.url);`,
    'export const at = (n: 1) => new URL(`../config/$' + '{n}.ts`, import.meta.url);',
    `// a comment\nimport /* another */ '../config/b.ts';`,
  ]) {
    it(`sees the import in ${JSON.stringify(how)}`, () => {
      const b = 'export type B = 1;\nexport const b = 1;\n';

      const found = breachesOf({ files: { 'kernel/a.ts': `${how}\n`, 'config/b.ts': b } });

      assert.deepEqual(found, [
        'server/src/kernel/a.ts: imports config/b.ts: kernel may import nothing of ours',
      ]);
    });
  }

  it('is not deceived by an import in a comment, a string or a template', () => {
    const text = [
      `// import '../config/b.ts';`,
      `export const s = "import '../config/b.ts'";`,
      'export const t = `import "../config/b.ts"`;',
      '',
    ].join('\n');
    assert.deepEqual(breachesOf({ files: { 'kernel/a.ts': text, 'config/b.ts': EMPTY } }), []);
  });

  it('refuses a folder and a file that have no row', () => {
    const found = breachesOf({ files: { 'helpers/a.ts': EMPTY, 'gateway/misc/a.ts': EMPTY } });

    const message = 'stands in no room: give it one, or its room a row in the table';
    assert.deepEqual(found, [
      `server/src/helpers/a.ts: ${message}`,
      `server/src/gateway/misc/a.ts: ${message}`,
    ]);
  });

  it('refuses that the product imports its tests', () => {
    const files = { 'app/a.ts': `import '../../test/x.ts';\n`, 'server/test/x.ts': EMPTY };
    const found = breachesOf({ files });
    assert.ok(
      found.includes(
        'server/src/app/a.ts: imports server/test/x.ts, which is no part of the server',
      ),
      found.join('\n'),
    );
  });

  it('lets contracts import zod and nothing else', () => {
    const zod = { 'contracts/src/index.ts': `import 'zod';\n` };
    const yaml = { 'contracts/src/index.ts': `import 'yaml';\n` };

    assert.deepEqual(breachesOf({ files: zod }), []);
    assert.deepEqual(breachesOf({ files: yaml }), [
      'contracts/src/index.ts: imports yaml: contracts import only zod',
    ]);
  });

  it('keeps sockets, files and databases out of the core and the providers', () => {
    const files = {
      'gateway/routing/a.ts': `import 'node:http';\n`,
      'providers/x/a.ts': `import 'undici';\n`,
      'wire/openai/a.ts': `import 'node:fs/promises';\n`,
      'transport/a.ts': `import 'undici';\n`,
      'kernel/a.ts': `import 'node:crypto';\n`,
    };

    const instead = 'does no input or output; ask for it by a port';
    assert.deepEqual(breachesOf({ files }), [
      `server/src/gateway/routing/a.ts: imports node:http: gateway/routing ${instead}`,
      `server/src/providers/x/a.ts: imports undici: providers ${instead}`,
      `server/src/wire/openai/a.ts: imports node:fs/promises: wire ${instead}`,
    ]);
  });

  it('lets the console import contracts, and no feature another', () => {
    const files = {
      'console/src/features/a/a.ts': `import '../b/b.ts';\nimport '@esclusa/contracts';\n`,
      'console/src/features/b/b.ts': `import '../../../../server/src/kernel/a.ts';\n`,
      'contracts/src/index.ts': EMPTY,
      'kernel/a.ts': EMPTY,
    };

    assert.deepEqual(breachesOf({ files }), [
      'console/src/features/a/a.ts: imports console/src/features/b/b.ts: ' +
        'a feature never imports another',
      'console/src/features/b/b.ts: imports server/src/kernel/a.ts: console may import contracts',
    ]);
  });
});
