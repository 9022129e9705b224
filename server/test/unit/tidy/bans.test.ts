/**
 * Goal: the tidy test sees what is banned where, and only there. Method: one line of code per
 * small project, parsed like the real sources; each refused line has an allowed twin.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { breachesOf } from '../../support/tidy/small-project.ts';

type Case = {
  readonly code: string;
  readonly refusedIn: string;
  /** What the message begins with. */
  readonly as: string;
  readonly allowedIn?: string;
};

const CLOCK = 'server/src/kernel/x.ts';
const ROUTING = 'server/src/gateway/routing/x.ts';
const STORAGE = 'server/src/storage/x.ts';
const TEST = 'server/test/x.test.ts';
const SUPPORT = 'server/test/support/x.ts';

/** One file that may, and what it may not do elsewhere. */
const MAY_BE_CODE = 'server/src/telemetry/redact.ts';

const CASES: readonly Case[] = [
  // Attack D5.
  ...[
    ['eval', 'export const f = (text: string) => eval(text);'],
    ['Function', 'export const f = (text: string) => new Function(text);'],
    ['vm', `import { runInThisContext } from 'node:vm';\nexport const f = runInThisContext;`],
    ['child_process', `import { exec } from 'node:child_process';\nexport const f = exec;`],
    ['import of a value', 'export const f = (name: string) => import(name);'],
    ['RegExp of a value', 'export const f = (text: string) => new RegExp(text);'],
    ['RegExp of a value', 'export const f = (text: string) => RegExp(text + text);'],
    [
      'createRequire',
      `import { createRequire as f } from 'node:module';\nexport const g = createRequire('x');`,
    ],
    [
      'sql.raw of a value',
      `import { sql } from 'kysely';\nexport const f = (text: string) => sql.raw(text);`,
    ],
  ].map(([what = '', code = '']) => ({
    ...{ code, refusedIn: STORAGE, as: `${what} (text as code)`, allowedIn: MAY_BE_CODE },
  })),
  { code: 'export const f = (x: any) => x;', refusedIn: ROUTING, as: 'any (any)' },
  { code: 'export type T = Map<string, any[]>;', refusedIn: TEST, as: 'any (any)' },
  { code: 'export enum E { A }', refusedIn: ROUTING, as: 'enum E (enum)' },
  {
    code: 'export const f = () => console.log(1);',
    refusedIn: ROUTING,
    as: 'console.log (console)',
    allowedIn: 'server/src/cli/x.ts',
  },
  {
    code: `export const f = () => globalThis.console['error'](1);`,
    refusedIn: ROUTING,
    as: 'console.error (console)',
    allowedIn: TEST,
  },
  {
    code: 'export const f = () => process.env.HOME;',
    refusedIn: 'server/src/cli/x.ts',
    as: 'process.env (environment)',
    allowedIn: 'server/src/config/x.ts',
  },
  {
    code: `import { env } from 'node:process';\nexport const f = () => env;`,
    refusedIn: 'server/src/app/x.ts',
    as: 'process.env (environment)',
    allowedIn: 'server/src/config/x.ts',
  },
  {
    code: 'export const f = (a: { b: () => void }) => { a.b = () => undefined; };',
    refusedIn: ROUTING,
    as: 'a function made as a member (function born old)',
    allowedIn: 'server/src/cluster/x.ts',
  },
  {
    code: 'export const f = () => Date.now();',
    refusedIn: ROUTING,
    as: 'Date.now (clock)',
    allowedIn: CLOCK,
  },
  {
    code: 'export const f = (now = Date.now) => now();',
    refusedIn: ROUTING,
    as: 'Date.now (clock)',
    allowedIn: 'server/src/app/x.ts',
  },
  {
    code: 'export const f = () => performance.now();',
    refusedIn: ROUTING,
    as: 'performance.now (clock)',
    allowedIn: CLOCK,
  },
  {
    code: 'export const f = () => new Date();',
    refusedIn: ROUTING,
    as: 'new Date() (clock)',
    allowedIn: TEST,
  },
  {
    code: 'export const f = () => Math.random();',
    refusedIn: ROUTING,
    as: 'Math.random (randomness)',
    allowedIn: CLOCK,
  },
  {
    code: 'export const f = () => crypto.randomUUID();',
    refusedIn: 'server/src/http/x.ts',
    as: 'randomUUID (randomness)',
    allowedIn: CLOCK,
  },
  {
    code: 'await new Promise((resolve) => setTimeout(resolve, 50));',
    refusedIn: TEST,
    as: 'a promise of setTimeout (sleep)',
    allowedIn: SUPPORT,
  },
  {
    code: 'await new Promise((resolve) => { setTimeout(() => resolve(1), 50); });',
    refusedIn: TEST,
    as: 'a promise of setTimeout (sleep)',
    allowedIn: SUPPORT,
  },
  {
    code: `import { setTimeout as sleep } from 'node:timers/promises';\nawait sleep(50);`,
    refusedIn: TEST,
    as: 'setTimeout of node:timers/promises (sleep)',
    allowedIn: SUPPORT,
  },
  { code: `test.only('t', () => {});`, refusedIn: TEST, as: 'test.only (focused test)' },
  { code: `it('t', { only: true }, () => {});`, refusedIn: TEST, as: 'only: true (focused test)' },
  { code: 'export let n = 0;', refusedIn: ROUTING, as: 'export let n = 0; (module state)' },
  {
    code: 'const seen = new Set<string>();',
    refusedIn: ROUTING,
    as: 'new Set<string>() (module state)',
    allowedIn: TEST,
  },
  {
    code: `register('x');`,
    refusedIn: ROUTING,
    as: `register('x'); (work on import)`,
    allowedIn: 'server/src/main.ts',
  },
  {
    code: 'if (1 > 0) start();',
    refusedIn: ROUTING,
    as: 'if (1 > 0) start(); (work on import)',
    allowedIn: TEST,
  },
  {
    code: `export const text = readFileSync('x', 'utf8');`,
    refusedIn: ROUTING,
    as: `readFileSync('x', 'utf8') (work on import)`,
    allowedIn: TEST,
  },
  {
    code: 'export const x = await load();',
    refusedIn: ROUTING,
    as: 'await load() (work on import)',
    allowedIn: TEST,
  },
];

/** A file and, for test support, a test that uses it. */
function projectWith(path: string, code: string): Record<string, string> {
  const isEntry = path.endsWith('main.ts');
  const text = isEntry ? `import './app/index.ts';\n${code}\n` : `${code}\nexport {};\n`;
  return path === SUPPORT
    ? { [path]: text, [TEST]: `import './support/x.ts';\n` }
    : { [path]: text };
}

describe('the bans', () => {
  for (const { code, refusedIn, as, allowedIn } of CASES) {
    it(`refuse ${JSON.stringify(code)} in ${refusedIn}`, () => {
      const found = breachesOf({ files: projectWith(refusedIn, code) });

      assert.equal(found.length, 1, found.join('\n'));
      assert.ok(found[0]?.startsWith(`${refusedIn}: ${as}: use `), found[0]);
    });
    if (allowedIn === undefined) continue;
    it(`let ${JSON.stringify(code)} stand in ${allowedIn}`, () => {
      assert.deepEqual(breachesOf({ files: projectWith(allowedIn, code) }), []);
    });
  }

  it('let comments, strings and namesakes be', () => {
    const code = [
      '// any, console.log, Date.now(), process.env, enum E {}',
      `export const s = 'console.log(process.env, Date.now(), Math.random())';`,
      'export const t = (value: unknown) => value;',
      'export const at = (ms: number) => new Date(ms);',
      'export const f = (log: { console: { now(): void } }) => log.console.now();',
      'export const known = new Set([1, 2]);',
      'export const pattern = /await x/;',
      '',
    ].join('\n');
    assert.deepEqual(breachesOf({ files: { [ROUTING]: code } }), []);
  });

  it('let a worker start itself', () => {
    const files = {
      'server/src/storage/a.ts': `export const at = new URL('./w.ts', import.meta.url);\n`,
      'server/src/storage/w.ts': 'serve();\nexport {};\n',
    };
    assert.deepEqual(breachesOf({ files, unreached: ['server/src/storage/w.ts'] }), []);
  });
});

describe('the rule on names of providers', () => {
  const provider = { 'server/src/providers/acme/adapter.ts': `export const id = 'acme';\n` };
  const refused = (path: string, name: string) => [
    `${path}: names the provider '${name}': ask for a capability, or move it home`,
  ];

  it('lets a name stand in its folder, in the registry and in tests', () => {
    const files = {
      ...provider,
      'server/src/providers/registry.ts': `export const list = { acme: 'acme' };\n`,
      [TEST]: `export const model = 'acme/large';\n`,
    };
    assert.deepEqual(breachesOf({ files }), []);
  });

  for (const code of [
    `export const f = (kind: string) => kind === 'acme';`,
    'export const f = (kind: string) => kind === `acme`;',
    `export type Kind = 'acme' | 'other';`,
    `export const model = 'acme/large';`,
    'export const price = { acme: 1 };',
    'export type Price = { readonly acme: number };',
  ]) {
    it(`refuses it elsewhere: ${JSON.stringify(code)}`, () => {
      const found = breachesOf({ files: { ...provider, [ROUTING]: `${code}\n` } });
      assert.deepEqual(found, refused(ROUTING, 'acme'));
    });
  }

  it('knows the names that stand only in the catalogue', () => {
    const files = { [ROUTING]: `export const base = 'globex';\n` };

    assert.deepEqual(breachesOf({ files }), []);
    assert.deepEqual(breachesOf({ files, catalogueNames: ['globex'] }), refused(ROUTING, 'globex'));
  });

  it('lets a dialect be named by the rooms that speak it, and by no other', () => {
    const code = `export const dialect = 'anthropic';\n`;
    const catalogueNames = ['anthropic'];
    const speaking = { 'server/src/wire/anthropic/a.ts': code, 'server/src/http/a.ts': code };

    assert.deepEqual(breachesOf({ files: speaking, catalogueNames }), []);
    assert.deepEqual(
      breachesOf({ files: { [ROUTING]: code }, catalogueNames }),
      refused(ROUTING, 'anthropic'),
    );
  });

  it('does not take a word that contains a name for it', () => {
    const files = { ...provider, [ROUTING]: `export const s = ['acmeify', 'the acme way'];\n` };
    assert.deepEqual(breachesOf({ files }), []);
  });
});
