/**
 * Goal: a target carries the limits and the price that hold for it, and a price keeps its
 * identifier in every process.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTargetResolver, type TargetResolver } from '../../../src/config/index.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { loadText, testCatalogue } from '../../support/config.ts';

const NOW_MS = Date.parse('2026-11-20');

async function resolver(text: string | null, env = {}): Promise<TargetResolver> {
  const { config } = await loadText(text, env);
  return createTargetResolver(config, await testCatalogue());
}

/** The first target of an alias, as routing takes it. */
async function first(text: string | null, alias: string, env = {}): Promise<Target | undefined> {
  const targets: readonly Target[] | null = (await resolver(text, env)).alias(alias, NOW_MS);
  return targets?.[0];
}

describe('the manner of a target', () => {
  const text = `providers:
  claude: { kind: anthropic, api_key: sk-ant-0 }
  elsewhere: { kind: anthropic, api_key: sk-ant-0, base_url: https://llm.example.com }
models:
  older: { targets: [{ provider: claude, model: claude-3-haiku }] }
  newest: { targets: [{ provider: claude, model: claude-opus-5 }] }
  strange: { targets: [{ provider: elsewhere, model: claude-of-tomorrow }] }`;

  it('is the catalogue’s, and absent where that says nothing', async () => {
    const manners = ['older', 'newest', 'strange'].map(async (name) => first(text, name));
    const [older, newest, strange] = await Promise.all(manners);

    assert.deepEqual(older?.manner, { reasoning: 'none', structuredOutput: 'tool' });
    assert.deepEqual([newest?.manner, strange?.manner], [undefined, undefined]);
  });
});

describe('limits of a target', () => {
  const text = `resilience: { timeouts: { idle_ms: 20000 }, breaker: { open_seconds: 1.5 } }
providers:
  demo:
    kind: mock
    timeouts: { connect_ms: 1, first_token_ms: 2 }
    max_concurrency: 7
    retry: { attempts: 4 }
models:
  slow:
    targets: [{ provider: demo, model: mock }]
    timeouts: { first_token_ms: 3 }
    retry: { budget_ratio: 0 }
  other: { targets: [{ provider: demo, model: other }], breaker: { minimum_calls: 9 } }
  again: { targets: [{ provider: demo, model: other }] }`;

  it('are the model’s, else the provider’s, else the service’s', async () => {
    const target = await first(text, 'slow');

    assert.deepEqual(target?.timeouts, {
      connectMs: 1,
      firstTokenMs: 3,
      firstTokenRange: { minMs: 3, maxMs: 180_000 },
      idleMs: 20_000,
      totalMs: 600_000,
    });
    assert.deepEqual(target?.retry, { attempts: 4, budgetRatio: 0 });
    assert.equal(target?.maxConcurrency, 7);
    assert.equal(target?.breaker.openMs, 1500);
    assert.equal(target?.breaker.minimumCalls, 5);
  });

  it('let the limit of the first token move within its range, which holds that limit', async () => {
    const rangeOf = async (timeouts: string) =>
      (
        await first(
          `models: { m: { targets: [{ provider: mock, model: mock }], timeouts: ${timeouts} } }`,
          'm',
        )
      )?.timeouts.firstTokenRange;

    assert.deepEqual(await rangeOf('{}'), { minMs: 10_000, maxMs: 180_000 });
    assert.deepEqual(await rangeOf('{ first_token_ms: 500000, first_token_min_ms: 20 }'), {
      minMs: 20,
      maxMs: 500_000,
    });
    assert.equal(await rangeOf('{ first_token_adaptive: false }'), undefined);
  });

  it('measure slowness unless that is switched off', async () => {
    const slowness = async (text: string) => {
      const breaker = (await first(text, 'm'))?.breaker;
      return [breaker?.slowCallMs, breaker?.slowCallRate];
    };
    const model = 'targets: [{ provider: mock, model: mock }]';

    assert.deepEqual(await slowness(`models: { m: { ${model} } }`), [30_000, 1]);
    assert.deepEqual(
      await slowness(
        `models: { m: { ${model}, breaker: { slow_call_ms: 0, slow_call_rate: 0.5 } } }`,
      ),
      [Number.POSITIVE_INFINITY, 0.5],
    );
  });

  it('have one breaker per target, whichever name leads there', async () => {
    const targets = await resolver(text);

    const minimumCalls = [
      targets.alias('other', NOW_MS)?.[0]?.breaker.minimumCalls,
      targets.alias('again', NOW_MS)?.[0]?.breaker.minimumCalls,
      targets.direct('demo', 'other', NOW_MS)?.breaker.minimumCalls,
      targets.direct('demo', 'mock', NOW_MS)?.breaker.minimumCalls,
    ];

    assert.deepEqual(minimumCalls, [9, 9, 9, 5]);
  });

  it('are the provider’s for a model that is asked for directly', async () => {
    const target = (await resolver(text)).direct('demo', 'mock', NOW_MS);

    assert.equal(target?.id, 'demo/mock');
    assert.equal(target?.timeouts.firstTokenMs, 2);
    assert.deepEqual(target?.retry, { attempts: 4, budgetRatio: 0.2 });
  });

  it('are nobody’s for names that lead nowhere', async () => {
    const targets = await resolver(text);

    assert.equal(targets.direct('none', 'mock', NOW_MS), null);
    assert.equal(targets.alias('none', NOW_MS), null);
    assert.equal(targets.alias('constructor', NOW_MS), null);
  });
});

describe('the price of a target', () => {
  it('is the catalogue’s, in pico-dollars per token', async () => {
    const target = await first(null, 'mock');

    assert.equal(target?.price?.inputPicousd, 140_000);
    assert.equal(target?.price?.cachedInputPicousd, 14_000);
    assert.equal(target?.price?.outputPicousd, 280_000);
    assert.equal(target?.maxOutputTokens, 4096);
    assert.deepEqual(target?.operations, ['chat', 'completion', 'embedding']);
  });

  it('is the model’s, or the target’s own, where the file says so', async () => {
    const text = `models:
  a:
    price: { input_usd_per_million: 1, output_usd_per_million: 2 }
    max_output_tokens: 5
    targets:
      - { provider: mock, model: mock }
      - provider: mock
        model: mock
        max_output_tokens: 6
        price:
          input_usd_per_million: 3
          cached_input_usd_per_million: 0
          output_usd_per_million: 4`;
    const targets = (await resolver(text)).alias('a', NOW_MS) ?? [];

    assert.deepEqual(
      targets.map(({ price, maxOutputTokens }) => [
        price?.inputPicousd,
        price?.cachedInputPicousd,
        price?.outputPicousd,
        maxOutputTokens,
      ]),
      [
        [1_000_000, 1_000_000, 2_000_000, 5],
        [3_000_000, 0, 4_000_000, 6],
      ],
    );
  });

  it('is not known, rather than zero, for a model nobody priced', async () => {
    const target = await first('models: { a: { targets: [{ provider: mock, model: new }] } }', 'a');

    assert.equal(target?.price, null);
    assert.equal(target?.maxOutputTokens, null);
  });

  it('has the context as bound of an answer where the catalogue has no other', async () => {
    const targets = await resolver(null, { CEREBRAS_API_KEY: 'k' });

    const known = targets.known('cerebras', 'gpt-oss-120b', NOW_MS);
    const target = targets.direct('cerebras', 'gpt-oss-120b', NOW_MS);

    assert.equal(known?.maxOutputTokens, null);
    assert.ok(known?.contextTokens);
    assert.equal(target?.maxOutputTokens, known?.contextTokens);
  });
});

describe('the identifier of a price', () => {
  const priced = (input: number, name = 'demo', model = 'm') =>
    `providers: { ${name}: { kind: mock } }
models:
  a:
    targets: [{ provider: ${name}, model: ${model} }]
    price: { input_usd_per_million: ${input}, output_usd_per_million: 2 }`;
  const idOf = async (text: string) => (await first(text, 'a'))?.price?.id;

  it('never changes for the same provider, model and figures', async () => {
    assert.equal(await idOf(priced(1)), 'price_fb2f82de039c');
    assert.equal(await idOf(priced(1)), await idOf(priced(1.0)));
  });

  it('is another for another figure, provider or model', async () => {
    const ids = [
      await idOf(priced(1)),
      await idOf(priced(1.000001)),
      await idOf(priced(1, 'other')),
      await idOf(priced(1, 'demo', 'n')),
    ];

    assert.equal(new Set(ids).size, 4);
    for (const id of ids) assert.match(String(id), /^price_[0-9a-f]{12}$/);
  });
});
