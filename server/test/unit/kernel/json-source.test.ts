/**
 * Goal: a value's text is found and written without a change. Method: generated JSON with white
 * space, escapes, large numbers and doubled keys, against what parsing sees.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonSource, RawJson, writeJson } from '../../../src/kernel/json-source.ts';

test('the text of a nested value is the text it was read from', () => {
  const text = ' {"a" : [ {"b":1.0}, {"b" : {"z":1,"2":12345678901234567890, "q":"}\\"]"} } ] } ';

  assert.equal(jsonSource(text, ['a', 1, 'b']), '{"z":1,"2":12345678901234567890, "q":"}\\"]"}');
  assert.equal(jsonSource(text, ['a', 0, 'b']), '1.0');
  assert.equal(jsonSource(text, []), text.trim());
});

test('what is not there has no text', () => {
  for (const path of [['b'], ['a', 2], ['a', 'b'], ['a', 0, 'c'], ['a', 0, 'b', 'c'], [0]]) {
    assert.equal(jsonSource('{"a":[{"b":1}]}', path), undefined, path.join('.'));
  }
  assert.equal(jsonSource('{}', ['a']), undefined);
  assert.equal(jsonSource('[]', [0]), undefined);
});

test('of two members with one name the last counts, as in parsing', () => {
  const text = '{"a":1,"\\u0061":[2]}';

  assert.equal(jsonSource(text, ['a']), '[2]');
  assert.deepEqual(JSON.parse(text).a, [2]);
});

test('every value of any JSON is found, and written back as it stood', () => {
  const spaced = fc
    .tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2))
    .map(([value, space]) => JSON.stringify(value, null, space));
  fc.assert(
    fc.property(spaced, (text) => {
      for (const path of pathsOf(JSON.parse(text))) {
        const source = jsonSource(text, path);
        assert.ok(source !== undefined, path.join('.'));
        assert.deepEqual(JSON.parse(source), at(JSON.parse(text), path));
        assert.equal(writeJson({ kept: new RawJson(source) }), `{"kept":${source}}`);
      }
    }),
  );
});

test('writing without raw values is what JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(writeJson(value as never), JSON.stringify(value));
    }),
  );
  assert.equal(writeJson({ a: undefined, b: [new RawJson('1.50')] }), '{"b":[1.50]}');
});

type Path = (string | number)[];

function pathsOf(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const entries = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value);
  return [[], ...entries.flatMap(([key, item]) => pathsOf(item).map((path) => [key, ...path]))];
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], value);
}
