/**
 * Goal: documents that repeat what the code says cannot drift from it.
 * Method: each generated document is made again and compared, byte for byte; each written one
 * is searched for every name the code has.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { dashboardDocuments } from '../../scripts/docs/dashboards.mjs';
import { dialectsDocuments, OTHERWISE } from '../../scripts/docs/dialects.mjs';
import { environmentDocuments } from '../../scripts/docs/environment.mjs';
import { metricsDocuments } from '../../scripts/docs/metrics.mjs';
import { mockDocuments } from '../../scripts/docs/mock.mjs';
import { permissionsDocuments } from '../../scripts/docs/permissions.mjs';
import { settingsDocuments } from '../../scripts/docs/settings.mjs';
import { MESSAGES } from '../src/cli/messages/index.ts';
import { COMMON_OPTIONS, VERBS } from '../src/cli/verbs.ts';
import { fileJsonSchema } from '../src/config/index.ts';
import { ERROR_CATALOGUE } from '../src/gateway/model/errors.ts';
import { type PipelineDeps, stages } from '../src/gateway/pipeline/index.ts';
import { readModelScript } from '../src/providers/mock/model-script.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { loadText } from './support/config.ts';
import { requestRows, WIRE_NAMES } from './support/dialect-table/request-table.ts';
import { missingPaths, typedLines, unknownScripts, unknownVerbs } from './support/docs/commands.ts';
import { brokenLinks, fencesOf, headingsOf, readPages, rowsOf } from './support/docs/markdown.ts';
import { createSchemaCheck } from './support/json-schema.ts';

const ROOT = join(import.meta.dirname, '../..');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

/** What was to be built, in the words of those who asked for it: it names what is not there yet. */
const LEDGER = new Set(['docs/requirements.md', 'docs/domain.md']);

const allPages = readPages(ROOT);
const pages = allPages.filter(({ path }) => !LEDGER.has(path));

describe('deploy/grafana/generated', () => {
  it('equal what their descriptions generate', async () => {
    for (const { path, text } of await dashboardDocuments()) assert.equal(read(path), text, path);
  });
});

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

describe('docs/dialects.md', () => {
  it('equals what the code answers when it is asked', async () => {
    const [page] = await dialectsDocuments();

    assert.ok(read('docs/dialects.md') === page?.text, 'run `node scripts/docs.mjs dialects`');
  });

  it('tells every other way that something is said, and none that there is not', () => {
    const ways = requestRows().flatMap(({ title, at }) =>
      WIRE_NAMES.filter((wire) => at[wire] === 'other').map((wire) => `${title} to ${wire}`),
    );
    const told = Object.entries(OTHERWISE).flatMap(([title, at]) =>
      Object.keys(at).map((wire) => `${title} to ${wire}`),
    );

    assert.deepEqual(told.sort(), ways.sort());
  });

  it('knows enough to be worth reading', () => {
    const rows = requestRows();
    const outcomes = (wire: string, outcome: string) =>
      rows.filter(({ at }) => at[wire] === outcome).length;

    assert.ok(rows.length >= 45, `only ${rows.length} things were asked`);
    for (const wire of WIRE_NAMES) {
      assert.ok(outcomes(wire, 'same') >= 20, `${wire} says little`);
      assert.ok(outcomes(wire, 'left out') + outcomes(wire, 'refused') >= 5, wire);
    }
  });
});

describe('docs/permissions.md', () => {
  it('equals what the routes and the table of permissions generate', async () => {
    const [page] = await permissionsDocuments();

    const hint = 'run `node scripts/docs.mjs permissions`';
    assert.ok(read('docs/permissions.md') === page?.text, hint);
  });
});

describe('docs/metrics.md', () => {
  it('equals what the table of metrics generates', async () => {
    const [page] = await metricsDocuments();

    assert.ok(read('docs/metrics.md') === page?.text, 'run `node scripts/docs.mjs metrics`');
  });

  it('tells how many series a metric may have', async () => {
    const { cost } = createMetrics();
    for (let i = 0; i < 2000; i += 1) cost.child({ model: `model-${i}`, provider: 'one' });
    const { values } = await cost.get();

    const collapsed = 1;
    assert.match(read('docs/metrics.md'), new RegExp(`has ${values.length - collapsed}\\s+series`));
  });
});

describe('docs/mock.md', () => {
  it('equals what the table of options generates', async () => {
    const [page] = await mockDocuments();

    assert.ok(read('docs/mock.md') === page?.text, 'run `node scripts/docs.mjs mock`');
  });

  it('shows a configuration that is accepted, and a model that exists', async () => {
    const fences = fencesOf(read('docs/mock.md'));
    const [yaml = ''] = fences
      .filter(({ language }) => language === 'yaml')
      .map(({ lines }) => lines.join('\n'));
    const [, asked = ''] = /"model":"([^"]+)"/.exec(read('docs/mock.md')) ?? [];

    const { config } = await loadText(yaml);

    assert.deepEqual(
      config.models.rehearsal?.targets.map(({ model }) => model),
      ['mock:status=503', 'mock'],
    );
    assert.equal('script' in readModelScript(asked), true, asked);
  });
});

describe('.env.example', () => {
  it('equals what the schema generates', async () => {
    const [page] = await environmentDocuments();

    assert.ok(read('.env.example') === page?.text, 'run `node scripts/docs.mjs environment`');
  });

  it('has every variable of the settings page, each commented out', () => {
    const named = [...read('docs/settings.md').matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !/^(NAME|SIGHUP|GET)$/.test(name));
    const lines = read('.env.example').split('\n');

    assert.ok(named.length > 50, `only ${named.length} names were found`);
    assert.deepEqual(
      named.filter((name) => !lines.some((line) => line.startsWith('# ') && line.includes(name))),
      [],
    );
    assert.deepEqual(
      lines.filter((line) => line !== '' && !line.startsWith('#')),
      [],
    );
  });
});

describe('esclusa.example.yaml', () => {
  it('is accepted by the program and by the JSON Schema', async () => {
    const text = read('esclusa.example.yaml');
    const check = createSchemaCheck(fileJsonSchema());

    const { config, warnings } = await loadText(text, variablesOf(text));

    assert.ok(Object.keys(config.models).length > 1, 'it shows more than one model');
    assert.deepEqual(warnings, []);
    assert.deepEqual(check(parse(text.replaceAll(/\$\{\w+\}/g, 'sk-1'))), []);
  });
});

describe('docs/errors.md', () => {
  it('equals the catalogue of errors, row by row', () => {
    const rows = rowsOf(read('docs/errors.md')).map(([code, status, retryable, ...texts]) => {
      const [, id, name] = /^<a id="(\w+)"><\/a>`(\w+)`$/.exec(code ?? '') ?? [];
      assert.ok(id !== undefined && id === name, `${code} has an anchor of its own name`);
      const [summary, advice] = texts;
      return [name, { status: Number(status), retryable: retryable === 'yes', summary, advice }];
    });

    assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, 'a code stands once');
    assert.deepEqual(Object.fromEntries(rows), ERROR_CATALOGUE);
  });
});

describe('docs/request-lifecycle.md', () => {
  const page = read('docs/request-lifecycle.md');
  const names = stages(unused<PipelineDeps>()).map(({ name }) => name);

  it('has the stages in their order, each with its codes and their status', () => {
    const [, section = ''] = page.split('May end with |');
    const [table = ''] = section.split('\n\n');
    const rows = rowsOf(`| | | |${table}`).map(([name, , codes]) => [
      name?.replaceAll('`', ''),
      codes ?? '',
    ]);

    assert.deepEqual(
      rows,
      stages(unused<PipelineDeps>()).map(({ name, codes }) => [
        name,
        codes.map((code) => `\`${code}\` (${ERROR_CATALOGUE[code].status})`).join(', '),
      ]),
    );
  });

  it('draws them in their order: to the right, and back', () => {
    const [lines = []] = fencesOf(page).map(({ lines: drawn }) => drawn);
    const named = (line: string | undefined) =>
      [...(line ?? '').matchAll(/[a-z]+/g)].map(String).filter((word) => names.includes(word));

    assert.deepEqual([...named(lines[0]), ...named(lines.at(-1)).toReversed()], names);
  });
});

describe('every page', () => {
  it('links to what is there', () => {
    assert.ok(allPages.length >= 15, `only ${allPages.length} pages were found`);
    assert.deepEqual(brokenLinks(allPages, exists), []);
  });

  it('names files that are there', () => {
    assert.deepEqual(
      pages.flatMap((page) => missingPaths(page, exists)),
      [],
    );
  });

  it('names no document that is nowhere, in the ledger either', () => {
    const ledger = allPages.filter(({ path }) => LEDGER.has(path));
    const named = ledger.flatMap(({ path, text }) =>
      [...text.matchAll(/[\w./-]+\.md\b/g)].map(([name]) => join(path, '..', name)),
    );

    assert.ok(named.length >= 10, `only ${named.length} were found`);
    assert.deepEqual(
      named.filter((path) => !exists(path)),
      [],
    );
  });

  it('shows configurations that are accepted', async () => {
    const examples = pages.flatMap(({ path, text }) =>
      fencesOf(text)
        .filter(({ language, lines }) => language === 'yaml' && lines.includes('providers:'))
        .map(({ lines }) => ({ path, text: lines.join('\n') })),
    );

    assert.ok(examples.length >= 4, `only ${examples.length} examples were found`);
    for (const { path, text } of examples) {
      await assert.doesNotReject(loadText(text, variablesOf(text)), `in ${path}`);
    }
  });

  it('names npm scripts that are there', () => {
    const scripts = new Set(Object.keys(JSON.parse(read('package.json')).scripts));

    assert.deepEqual(
      pages.flatMap((page) => unknownScripts(page, scripts)),
      [],
    );
  });

  it('names verbs and options that the command line has', () => {
    const verbs = new Map(
      Object.entries(VERBS).map(([name, { options }]) => [
        name,
        new Set([...options, ...COMMON_OPTIONS].map(({ flags }) => flags.split(' ')[0] ?? '')),
      ]),
    );

    assert.deepEqual(
      pages.flatMap((page) => unknownVerbs(page, verbs)),
      [],
    );
  });
});

describe('ARCHITECTURE.md', () => {
  it('is short enough to be read', () => {
    assert.ok(read('ARCHITECTURE.md').split('\n').length <= 250);
  });
});

describe('README.md and README.es.md', () => {
  const english = read('README.md');
  const spanish = read('README.es.md');

  it('have the same sections', () => {
    const levels = (text: string) => headingsOf(text).map(({ level }) => level);

    assert.deepEqual(levels(spanish), levels(english));
  });

  it('have the same commands, and blocks of the same kinds', () => {
    const kinds = (text: string) => fencesOf(text).map(({ language }) => language);

    const typed = (text: string) =>
      typedLines(text).map((line) => line.replace(/"content":"[^"]*"/, '"content":"…"'));

    assert.ok(typed(english).length >= 6, 'a reader is told what to type');
    assert.deepEqual(typed(spanish), typed(english));
    assert.deepEqual(kinds(spanish), kinds(english));
  });

  it('show a configuration that is accepted, and the same in both', async () => {
    const example = (text: string) =>
      fencesOf(text)
        .filter(({ language }) => language === 'yaml')
        .map(({ lines }) => lines.join('\n'))
        .join('\n');

    const { config } = await loadText(example(english), variablesOf(example(english)));

    assert.ok(Object.keys(config.models).length > 1, 'it shows more than one model');
    assert.deepEqual(parse(example(spanish)), parse(example(english)));
  });

  it('show what the program says at its first start, each in its language', () => {
    for (const [text, say] of [
      [english, MESSAGES.en],
      [spanish, MESSAGES.es],
    ] as const) {
      for (const line of [say.start.ready('http://127.0.0.1:8000'), say.start.firstKey]) {
        assert.ok(text.includes(line), `“${line}” is not in it`);
      }
    }
  });
});

/** Every variable that a configuration refers to, set. */
function variablesOf(text: string): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(names.map((name) => [name, 'sk-1']));
}

/** Stands for parts that must not be used: all of its members are made up. */
function unused<T extends object>(): T {
  return new Proxy({}, { get: () => () => assert.fail('it was used') }) as T;
}
