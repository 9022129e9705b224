/**
 * Which targets may answer a request at all: conditions, what a model can do, the operation and
 * prices, each met and missed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Condition } from '../../../src/gateway/model/condition.ts';
import type { Budget } from '../../../src/gateway/model/principal.ts';
import type { Capability, Target } from '../../../src/gateway/model/target.ts';
import { unmet } from '../../../src/gateway/routing/conditions.ts';
import { selectTargets } from '../../../src/gateway/routing/select.ts';
import { type FactsChanges, factsOf, targetOf } from './fixture.ts';

const IMAGE = { type: 'image_url', image_url: { url: 'https://x/y.png' } };
const FILE = { type: 'file', file: { file_data: 'data:application/pdf;base64,' } };
const BUDGET: Budget = { limitNanousd: 1, period: 'total' };

function saying(...parts: readonly Record<string, unknown>[]) {
  return { body: { messages: [{ role: 'user', content: parts }] } } as unknown as FactsChanges;
}

interface Row {
  readonly when: Condition;
  readonly met: FactsChanges;
  readonly missed: FactsChanges;
  readonly member: string;
}

const ROWS: readonly Row[] = [
  {
    when: { tenant: ['acme', 'globex'] },
    met: { principal: { tenant: 'globex' } },
    missed: { principal: { tenant: 'other' } },
    member: 'tenant',
  },
  {
    when: { key: ['key_7'] },
    met: { principal: { keyId: 'key_7' } },
    missed: { principal: { keyId: 'key_70' } },
    member: 'key',
  },
  {
    when: { user: ['u1'] },
    met: { body: { user: 'u1' } },
    missed: { body: {} },
    member: 'user',
  },
  {
    when: { operation: ['embedding'] },
    met: { request: { operation: 'embedding' } },
    missed: { request: { operation: 'chat' } },
    member: 'operation',
  },
  {
    when: { header: { 'x-tier': ['gold'] } },
    met: { headers: ['Host', 'h', 'X-Tier', 'gold'] },
    missed: { headers: ['Host', 'gold', 'X-Tier', 'Gold'] },
    member: 'header.x-tier',
  },
  {
    when: { metadata: { tier: ['gold', '1', 'true'] } },
    met: { body: { metadata: { tier: 1 } } },
    missed: { body: { metadata: { tier: ['gold'] } } },
    member: 'metadata.tier',
  },
  {
    when: { metadata: { constructor: ['x'] } },
    met: { body: { metadata: { constructor: 'x' } } },
    missed: { body: { metadata: {} } },
    member: 'metadata.constructor',
  },
  {
    when: { stream: true },
    met: { request: { stream: true } },
    missed: { request: { stream: false } },
    member: 'stream',
  },
  {
    when: { hasTools: false },
    met: { body: { tools: [] } },
    missed: { body: { tools: [{}] } },
    member: 'has_tools',
  },
  {
    when: { hasImages: true },
    met: saying({ type: 'text', text: 'what is this?' }, IMAGE),
    missed: saying({ type: 'text', text: 'image_url' }),
    member: 'has_images',
  },
  { when: { hasFiles: true }, met: saying(FILE), missed: saying(IMAGE), member: 'has_files' },
  {
    when: { hasJsonSchema: true },
    met: { body: { response_format: { type: 'json_schema', json_schema: {} } } },
    missed: { body: { response_format: { type: 'json_object' } } },
    member: 'has_json_schema',
  },
  {
    when: { minInputTokens: 100 },
    met: { inputTokens: 100 },
    missed: { inputTokens: 99 },
    member: 'min_input_tokens',
  },
  {
    when: { maxInputTokens: 100 },
    met: { inputTokens: 100 },
    missed: { inputTokens: 101 },
    member: 'max_input_tokens',
  },
];

describe('a condition', () => {
  for (const { when, met, missed, member } of ROWS) {
    it(`on ${member} holds where it should (${JSON.stringify(when)})`, () => {
      assert.equal(unmet([when], factsOf(met)), null);
    });

    it(`on ${member} is named where it does not hold (${JSON.stringify(when)})`, () => {
      assert.equal(unmet([when], factsOf(missed)), member);
    });
  }

  it('without members holds for everything', () => {
    assert.equal(unmet([{}], factsOf()), null);
    assert.equal(unmet([], factsOf()), null);
  });

  it('holds only where every member of every one does', () => {
    const conditions: Condition[] = [{ tenant: ['default'], stream: true }, { hasTools: true }];
    const body = { tools: [{}] };

    assert.equal(unmet(conditions, factsOf({ request: { stream: true }, body })), null);
    assert.equal(unmet(conditions, factsOf({ request: { stream: true } })), 'has_tools');
    assert.equal(unmet(conditions, factsOf({ body })), 'stream');
  });
});

function outcome(targets: readonly Target[], facts: FactsChanges) {
  const { targets: fit, unfit } = selectTargets(targets, factsOf(facts));
  return [
    fit.map(({ id }) => id).join(''),
    unfit.map((one) => [one.target.id, one.reason, one.detail]),
  ];
}

describe('selecting targets', () => {
  it('leaves out those whose conditions do not hold, and names the member', () => {
    const gold = targetOf('g', { when: [{ metadata: { tier: ['gold'] } }] });
    const all = targetOf('a');

    assert.deepEqual(outcome([gold, all], { body: { metadata: { tier: 'gold' } } }), ['ga', []]);
    assert.deepEqual(outcome([gold, all], {}), ['a', [['g', 'condition', 'metadata.tier']]]);
  });

  const able = (...capabilities: readonly Capability[]) => [targetOf('a', { capabilities })];

  for (const [needed, facts] of [
    ['tools', { body: { tools: [{}] } }],
    ['vision', saying(IMAGE)],
    ['json_schema', { body: { response_format: { type: 'json_schema' } } }],
  ] as const) {
    it(`leaves out a model that is known not to do ${needed}`, () => {
      assert.deepEqual(outcome(able('reasoning'), facts), ['', [['a', 'capability', needed]]]);
      assert.deepEqual(outcome(able(), facts), ['', [['a', 'capability', needed]]]);
    });

    it(`keeps a model that does ${needed}, and one nothing is known of`, () => {
      assert.deepEqual(outcome(able(needed), facts), ['a', []]);
      assert.deepEqual(outcome([targetOf('a')], facts), ['a', []]);
    });
  }

  it('asks of a model only what the request needs', () => {
    assert.deepEqual(outcome(able(), {}), ['a', []]);
  });

  it('leaves out a target without the operation; who chats can be counted for', () => {
    const embeds = targetOf('e', { operations: ['embedding'] });
    const chats = targetOf('c');

    assert.deepEqual(outcome([embeds, chats], { request: { operation: 'count_tokens' } }), [
      'c',
      [['e', 'operation', null]],
    ]);
    assert.deepEqual(outcome([embeds, chats], { request: { operation: 'embedding' } }), [
      'e',
      [['c', 'operation', null]],
    ]);
  });

  it('under a budget goes around what has no price, as long as something has one', () => {
    const free = targetOf('f', { price: null });
    const priced = targetOf('p');
    const budgeted = { principal: { budget: BUDGET } };

    assert.deepEqual(outcome([free, priced], budgeted), ['p', [['f', 'unpriced', null]]]);
    assert.deepEqual(outcome([free], budgeted), ['f', []]);
    assert.deepEqual(outcome([free, priced], {}), ['fp', []]);
  });

  it('puts every target in exactly one of the two lists, in the order of the file', () => {
    const target = fc.record({
      when: fc.constantFrom<Condition>({}, { stream: true }, { tenant: ['nobody'] }),
      capabilities: fc.subarray<Capability>(['tools', 'vision']),
      price: fc.constantFrom(null, targetOf('x').price),
      operations: fc.subarray(['chat', 'embedding'] as const),
    });
    fc.assert(
      fc.property(fc.array(target), fc.boolean(), fc.boolean(), (drawn, stream, isBudgeted) => {
        const targets = drawn.map(({ when, ...rest }, at) =>
          targetOf(`t${at}`, { ...rest, when: [when] }),
        );
        const facts = factsOf({
          request: { stream },
          body: { tools: [{}] },
          principal: { budget: isBudgeted ? BUDGET : null },
        });

        const made = selectTargets(targets, facts);

        const left = made.unfit.map((one) => one.target);
        assert.equal(made.targets.length + left.length, targets.length);
        assert.deepEqual(new Set([...made.targets, ...left]), new Set(targets));
        const at = made.targets.map((one) => targets.indexOf(one));
        assert.deepEqual(
          at,
          at.toSorted((a, b) => a - b),
        );
      }),
    );
  });
});
