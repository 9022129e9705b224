/**
 * Goal: documents that repeat what the code says cannot drift from it.
 * Method: each generated document is made again and compared, byte for byte; each written one
 * is searched for every name the code has.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { settingsDocuments } from '../../scripts/docs/settings.mjs';
import { fileJsonSchema } from '../src/config/index.ts';
import { loadText } from './support/config.ts';
import { createSchemaCheck } from './support/json-schema.ts';

const ROOT = join(import.meta.dirname, '../..');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

describe('docs/settings.md and docs/esclusa.schema.json', () => {
  it('equal what the schema generates', async () => {
    const documents = await settingsDocuments();

    assert.equal(documents.length, 2);
    for (const { path, text } of documents) {
      assert.ok(read(path) === text, `${path} differs: run \`node scripts/docs.mjs settings\``);
    }
  });

  it('have every configuration name of the ledger', () => {
    const [, section = ''] = read('docs/requirements.md').split('## 7. Configuration names');
    const [table = ''] = section.split('\n## ');
    const names = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name),
    );
    const page = read('docs/settings.md');

    assert.ok(names.length >= 40, `only ${names.length} names were found in the ledger`);
    assert.deepEqual(
      names.filter((name) => !page.includes(`\`${name}\``)),
      [],
    );
  });

  it('show an example that the program and the JSON Schema accept', async () => {
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(read('docs/settings.md')) ?? [];
    const check = createSchemaCheck(fileJsonSchema());

    const { config } = await loadText(example, { OPENAI_API_KEY: 'sk-1' });

    assert.deepEqual(Object.keys(config.models).sort(), ['fast', 'mock']);
    assert.deepEqual(check(parse(example.replace(`\${OPENAI_API_KEY}`, 'sk-1'))), []);
  });
});

describe('the JSON Schema of the configuration file', () => {
  const check = createSchemaCheck(fileJsonSchema());

  it('accepts a variable where a number or a boolean is wanted', () => {
    assert.deepEqual(check({ port: `\${PORT}`, cache: { enabled: `\${CACHE}` } }), []);
  });

  it('refuses unknown names, wrong types and values out of range', () => {
    assert.notDeepEqual(check({ prot: 1 }), []);
    assert.notDeepEqual(check({ port: 70_000 }), []);
    assert.notDeepEqual(check({ cache: { enabled: 'perhaps' } }), []);
    assert.notDeepEqual(check({ providers: { a: { kind: 'unknown' } } }), []);
    assert.notDeepEqual(check({ models: { a: { targets: [] } } }), []);
  });
});
