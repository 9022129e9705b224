/**
 * Goal: what the mock makes for a schema is valid against it, and making it always ends.
 * Method: schemas as people write them, and random ones, judged by ajv.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../../src/kernel/json.ts';
import { schemaInstance } from '../../../../src/providers/mock/schema-instance.ts';

function assertInstance(schema: JsonObject, hint: string | null = null): JsonValue {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const instance = schemaInstance(schema, hint);
  const validate = ajv.compile(schema);
  const valid = validate(instance);
  const say = `${JSON.stringify(instance)} is not ${JSON.stringify(schema)}`;
  assert.ok(valid, `${say}: ${ajv.errorsText(validate.errors)}`);
  return instance;
}

test('objects are filled whole, with the names that the schema gives', () => {
  const schema = {
    type: 'object',
    properties: {
      title: { type: 'string' },
      done: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' }, minItems: 2 },
      next: { type: ['object', 'null'], properties: {} },
    },
    required: ['title'],
    additionalProperties: false,
  };

  assert.deepEqual(assertInstance(schema), {
    title: 'title',
    done: true,
    tags: ['tags', '2 tags'],
    next: {},
  });
});

test('formats, patterns, bounds and combinations give valid values', () => {
  const schemas: JsonObject[] = [
    ...['date', 'date-time', 'time', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'hostname'].map(
      (format) => ({ type: 'string', format }),
    ),
    ...['duration', 'uri-reference', 'json-pointer', 'regex'].map((format) => ({ format })),
    { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' },
    { type: 'string', pattern: '^(?:foo|bar)+\\.(?<end>x|y)?$' },
    { type: 'string', pattern: '^\\+?[1-9]\\d{1,14}$' },
    { type: 'string', pattern: '^[^0-9]{2,}[\\w.-]*$', minLength: 9 },
    { type: 'string', pattern: '^\\u0041\\x42\\/[\\]\\-a]$' },
    { type: 'string', pattern: '^#(?:[0-9a-f]{3}){1,2}$' },
    { type: 'string', pattern: '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}' },
    { type: 'string', minLength: 30 },
    { type: 'string', maxLength: 2 },
    { type: 'integer', exclusiveMinimum: 3, maximum: 4 },
    { type: 'integer', maximum: -5 },
    { type: 'integer', minimum: 10, multipleOf: 7 },
    { type: 'number', minimum: 0.5, maximum: 0.8 },
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    { type: 'number', multipleOf: 0.01, minimum: 1 },
    { type: 'number', exclusiveMaximum: 0 },
    { const: { a: [1] } },
    { enum: ['b', 'a'] },
    { type: 'array', items: { type: 'integer' }, minItems: 5, uniqueItems: true },
    { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true },
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'boolean' }], items: false },
    { type: 'array', items: { type: 'string' }, contains: { const: 'x' } },
    { type: 'array', maxItems: 0 },
    { type: 'object', minProperties: 2, additionalProperties: { type: 'integer' } },
    { type: 'object', required: ['free'] },
    { anyOf: [{ type: 'null' }, { type: 'integer' }] },
    { oneOf: [{ type: 'string', maxLength: 3 }, { type: 'integer' }] },
    { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer', minimum: 1 } }, required: ['a'] },
        { properties: { a: { minimum: 5 }, b: { type: 'string' } }, required: ['b'] },
      ],
    },
    { type: 'null' },
    {},
  ];
  for (const schema of schemas) assertInstance(schema);
});

test('references are followed, also into themselves, and come to an end', () => {
  assertInstance({
    $defs: {
      node: {
        type: 'object',
        properties: {
          value: { $ref: '#/$defs/value' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['value', 'children'],
      },
      value: { type: 'integer', minimum: 7 },
    },
    $ref: '#/$defs/node',
  });
  assertInstance({
    type: 'object',
    properties: {
      next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
      'a/b~c': { type: 'integer' },
    },
    required: ['next'],
  });
  assertInstance({
    $defs: { 'a/b': { type: 'string', const: 'yes' } },
    type: 'array',
    minItems: 1,
    items: { $ref: '#/$defs/a~1b', description: 'a neighbour of a reference' },
  });
});

test('free texts say the hint', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } } };

  assert.deepEqual(assertInstance(schema, 'Málaga'), { city: 'Málaga' });
});

test('random schemas have valid instances', () => {
  const { schema } = fc.letrec<{ schema: JsonObject; leaf: JsonObject }>((tie) => ({
    leaf: fc.oneof(
      fc.record({
        type: fc.constantFrom('integer', 'number'),
        minimum: fc.integer({ min: -50, max: 0 }),
        maximum: fc.integer({ min: 1, max: 50 }),
      }),
      fc.record({
        type: fc.constant('string'),
        minLength: fc.nat({ max: 5 }),
        maxLength: fc.integer({ min: 5, max: 9 }),
      }),
      fc.record({ enum: fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }) }),
      fc.record({ type: fc.constantFrom('boolean', 'null') }),
      fc.record({ const: fc.jsonValue() }),
    ) as fc.Arbitrary<JsonObject>,
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      fc
        .tuple(fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema')), fc.boolean())
        .map(([properties, closed]) => ({
          type: 'object',
          properties,
          required: Object.keys(properties).slice(1),
          additionalProperties: !closed,
        })),
      fc.record({
        type: fc.constant('array'),
        items: tie('schema'),
        minItems: fc.nat({ max: 2 }),
        maxItems: fc.integer({ min: 2, max: 4 }),
      }),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    ) as fc.Arbitrary<JsonObject>,
  }));
  fc.assert(
    fc.property(schema, (random) => {
      assertInstance(random);
    }),
    { numRuns: 300 },
  );
});

test('schemas made to explode cost little and end', () => {
  const all = { allOf: [{ $ref: '#' }, { $ref: '#' }, { $ref: '#' }] };
  const doubling: Record<string, JsonValue> = {};
  for (let i = 0; i < 30; i += 1) {
    const next = { $ref: `#/$defs/d${i + 1}` };
    doubling[`d${i}`] = { type: 'object', properties: { a: next, b: next }, required: ['a', 'b'] };
  }
  const wide = { type: 'array', minItems: 1e9, items: { $ref: '#' } };
  const loops = {
    $ref: '#/$defs/x',
    $defs: { x: { $ref: '#/$defs/y' }, y: { $ref: '#/$defs/x' } },
  };
  const impossible = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
  const repeats = { type: 'string', pattern: '(((a{1000}){1000}){1000}){1000}' };
  const nested = { type: 'string', pattern: '('.repeat(50_000) };
  const startedMs = performance.now();

  for (const schema of [all, { $ref: '#/$defs/d0', $defs: doubling }, wide, loops, impossible]) {
    JSON.stringify(schemaInstance(schema as JsonValue, null));
  }
  assert.equal(schemaInstance(repeats, null), 'value');
  assert.equal(schemaInstance(nested, null), 'value');

  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 1_500, `${tookMs} ms`);
});

test('what a reader of patterns cannot know is left to a plain text', () => {
  for (const pattern of [
    '(?=a)b',
    '(?<!a)b',
    '\\bword',
    '(a)\\1',
    '\\p{L}+',
    '[a',
    '(a',
    'a{2,1}',
    '*',
  ]) {
    assert.equal(schemaInstance({ type: 'string', pattern }, null), 'value', pattern);
  }
});
