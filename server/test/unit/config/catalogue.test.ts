/**
 * Goal: the catalogue that ships is whole, a bad entry is named, and the price in force is the
 * youngest that has begun.
 * Method: the real files, and small ones in memory with one fault each.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Catalogue, ConfigError, loadCatalogue } from '../../../src/config/index.ts';
import { createMemoryFiles, testCatalogue } from '../../support/config.ts';

const VENDORS = '[{ "id": "v", "kind": "openai-compatible", "base_url": "http://v/v1" }]';
const at = (date: string): number => Date.parse(date);

function small(models: string, vendors = VENDORS): Promise<Catalogue> {
  const files = createMemoryFiles({ 'c/vendors.json': vendors, 'c/models.json': models });
  return loadCatalogue(files, 'c/');
}

function model(members: object): string {
  const row = { vendor: 'v', model: 'm', operations: ['chat'] };
  const figures = { input_usd_per_million: 1, output_usd_per_million: 2 };
  return JSON.stringify({ ...row, ...figures, ...members });
}

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  try {
    await loading;
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError);
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  throw new Error('the catalogue was accepted');
}

describe('the catalogue that ships', () => {
  it('prices well-known models, under dated names too', async () => {
    const catalogue = await testCatalogue();

    const mini = catalogue.find('openai', 'gpt-4o-mini-2024-07-18', at('2026-11-20'));

    assert.equal(mini?.model, 'gpt-4o-mini');
    assert.deepEqual(mini?.figures, {
      inputUsdPerMillion: 0.15,
      cachedInputUsdPerMillion: 0.075,
      outputUsdPerMillion: 0.6,
    });
    assert.equal(mini?.maxOutputTokens, 16_384);
    assert.equal(mini?.contextTokens, 128_000);
    assert.deepEqual(catalogue.find('openai', 'text-embedding-3-small', 0)?.operations, [
      'embedding',
    ]);
    assert.equal(catalogue.find('openai', 'gpt-4o-mini-of-tomorrow', 0), null);
  });

  it('knows how models of one vendor differ, under dated names too', async () => {
    const catalogue = await testCatalogue();
    const mannerOf = (name: string) => catalogue.find('anthropic', name, at('2026-11-20'))?.manner;

    assert.deepEqual(mannerOf('claude-3-haiku'), { reasoning: 'none', structuredOutput: 'tool' });
    assert.deepEqual(mannerOf('claude-sonnet-4-20250514'), {
      ...{ reasoning: 'budget', structuredOutput: 'tool' },
    });
    assert.deepEqual(mannerOf('claude-sonnet-4-5-20250929'), { reasoning: 'budget' });
    assert.equal(mannerOf('claude-opus-4-6'), null);
  });

  it('prices the mock for demonstrations', async () => {
    const catalogue = await testCatalogue();

    const mock = catalogue.find('mock', 'mock', 0);

    assert.deepEqual(mock?.figures, {
      inputUsdPerMillion: 0.14,
      cachedInputUsdPerMillion: 0.014,
      outputUsdPerMillion: 0.28,
    });
    assert.equal(mock?.maxOutputTokens, 4096);
  });

  it('has models for every vendor whose key alone makes a provider', async () => {
    const catalogue = await testCatalogue();

    const served = catalogue.vendors.filter(({ kind, apiKeyEnv }) => kind && apiKeyEnv);

    assert.ok(served.length >= 10);
    for (const { id } of served) {
      assert.ok(catalogue.list(id, at('2026-11-20')).length > 0, id);
    }
  });
});

describe('a price', () => {
  const history = `[${[
    model({ input_usd_per_million: 1 }),
    model({ input_usd_per_million: 2, effective_from: '2026-02-01' }),
    model({ input_usd_per_million: 3, effective_from: '2026-03-01' }),
  ].join()}]`;

  it('holds from the start of its date until the next one begins', async () => {
    const catalogue = await small(history);

    const price = (ms: number) => catalogue.find('v', 'm', ms)?.figures.inputUsdPerMillion;

    assert.equal(price(at('2026-02-01') - 1), 1);
    assert.equal(price(at('2026-02-01')), 2);
    assert.equal(price(at('2026-03-01') - 1), 2);
    assert.equal(price(at('2026-03-01')), 3);
  });

  it('is listed once, however many it had', async () => {
    const catalogue = await small(history);

    assert.equal(catalogue.list('v', at('2026-02-15')).length, 1);
  });

  it('of input that was cached is that of input where there is none of its own', async () => {
    const catalogue = await small(`[${model({})}]`);

    assert.equal(catalogue.find('v', 'm', 0)?.figures.cachedInputUsdPerMillion, 1);
  });
});

describe('a bad catalogue is refused, naming the entry, for', () => {
  const usd = 'is not a number from 0 to 1000000 with at most 6 decimals';
  const entries: readonly (readonly [claim: string, entry: string, problem: string])[] = [
    ['an unknown member', model({ pice: 1 }), 'has an unknown member pice'],
    ['an unknown vendor', model({ vendor: 'w' }), 'the vendor "w" is not in vendors.json'],
    ['a negative price', model({ input_usd_per_million: -1 }), `input_usd_per_million ${usd}`],
    ['a price as text', model({ output_usd_per_million: '1' }), `output_usd_per_million ${usd}`],
    ['a price too fine', model({ output_usd_per_million: 1e-7 }), `output_usd_per_million ${usd}`],
    ['no operation', model({ operations: [] }), 'operations is empty'],
    [
      'an operation that does not exist',
      model({ operations: ['paint'] }),
      'operations has something other than chat, completion, embedding',
    ],
    [
      'a limit of nothing',
      model({ max_output_tokens: 0 }),
      'max_output_tokens is not a whole number from 1 to 1000000000',
    ],
    [
      'a date that is none',
      model({ effective_from: '2026-13-01' }),
      'effective_from is not a date such as 2026-01-31',
    ],
    [
      'a manner that no model has',
      model({ reasoning: 'loudly' }),
      'reasoning is not one of effort, budget, none',
    ],
    ['one price twice', `${model({})},${model({})}`, 'appears twice with the same effective_from'],
    [
      'one name for two models',
      `${model({})},${model({ model: 'n', aliases: ['m'] })}`,
      'm also names m',
    ],
  ];
  for (const [claim, entry, problem] of entries) {
    it(claim, async () => {
      const [found, ...others] = await problemsOf(small(`[${entry}]`));

      assert.match(String(found), /^catalogue\/models.json [vw]\/[mn] — /);
      assert.equal(found?.split(' — ')[1], problem);
      assert.deepEqual(others, []);
    });
  }

  it('files that are missing or no lists', async () => {
    assert.deepEqual(await problemsOf(small('{}', 'nonsense')), [
      'catalogue/vendors.json — is missing, or is not a JSON list',
      'catalogue/models.json — is missing, or is not a JSON list',
    ]);
  });

  it('vendors without a name, twice, or with abilities nobody knows', async () => {
    const vendors =
      '[{ "kind": null }, { "id": "v", "capabilities": { "fly": true } }, { "id": "v" }]';

    assert.deepEqual(await problemsOf(small('[]', vendors)), [
      'catalogue/vendors.json entry 0 — id is missing',
      'catalogue/vendors.json v — capabilities.fly is not one of ' +
        'stream_usage, max_completion_tokens, reasoning_input, responses',
      'catalogue/vendors.json v — appears twice',
    ]);
  });
});
