/**
 * Goal: a command, option or file that a document names and that does not exist is noticed.
 * Method: small pages against small tables of what exists.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  missingPaths,
  typedLines,
  unknownScripts,
  unknownVerbs,
  type VerbTable,
} from '../../support/docs/commands.ts';

const page = (text: string) => ({ path: 'a.md', text });
const verbs: VerbTable = new Map([
  ['start', new Set(['--port'])],
  ['keys create', new Set(['--tenant'])],
]);
const scripts = new Set(['start', 'test', 'check']);

describe('npm scripts', () => {
  it('that exist are accepted, in blocks and in the running text', () => {
    const text = 'Run `npm run check`.\n\n```sh\nnpm start\nnpm test -- docs\n```\n';

    assert.deepEqual(unknownScripts(page(text), scripts), []);
  });

  it('that do not exist are named', () => {
    const text = '`npm run cheque`\n\n```sh\ncd x && npm run deploy:all\n```\n';

    assert.deepEqual(unknownScripts(page(text), scripts), [
      'a.md: npm run deploy:all',
      'a.md: npm run cheque',
    ]);
    assert.deepEqual(unknownScripts(page('`npm test`'), new Set(['start'])), [
      'a.md: npm run test',
    ]);
  });

  it('in plain words are no commands', () => {
    assert.deepEqual(unknownScripts(page('npm run wild'), scripts), []);
  });
});

describe('verbs of the command line', () => {
  it('that exist are accepted with their options, alone, as a group and with --help', () => {
    const text =
      '`esclusa --help` `esclusa keys` `npx esclusa start --port 1`\n\n```console\n' +
      '$ esclusa keys create "A B" --tenant=x | jq\n: esclusa {"cost_usd":1}\n```\n';

    assert.deepEqual(unknownVerbs(page(text), verbs), []);
  });

  it('that do not exist are named, and so are their options', () => {
    const text = '`esclusa strat` `esclusa keys burn x` `esclusa start --prot 1` `esclusa --port`';

    assert.deepEqual(unknownVerbs(page(text), verbs), [
      'a.md: esclusa strat',
      'a.md: esclusa keys burn x',
      'a.md: esclusa start --prot 1',
      'a.md: esclusa --port',
    ]);
  });
});

describe('what a reader types', () => {
  it('is the lines of shell blocks without comments, and of consoles without answers', () => {
    const text =
      '```sh\n# first\nnpm start   # runs\n```\n' +
      '```console\n$ curl x \\\n    -d y\n{"a":1}\n$ ls\n```\n' +
      '```json\nnpm test\n```\n';

    assert.deepEqual(typedLines(text), ['npm start', 'curl x \\', '-d y', 'ls']);
  });
});

describe('files that a page names', () => {
  it('are looked for where they begin like one of ours, and placeholders are not', () => {
    const text = '`server/src/a.ts` `docs/b.md` `docs/<name>.md` `server/src/*.ts` `b/c.ts`';

    assert.deepEqual(
      missingPaths(page(text), (path) => path === 'docs/b.md'),
      ['a.md: server/src/a.ts'],
    );
  });
});
