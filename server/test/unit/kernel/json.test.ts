/**
 * Goal: the members of an outermost object are found where they lie, whatever the layout of
 * the text, and one value can be replaced without touching the rest. Method: random values
 * written by a serialiser that varies white space and escapes, with JSON.parse as oracle.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalJson,
  isJsonObject,
  type JsonMember,
  type JsonObject,
  type JsonValue,
  parseJson,
  scanObject,
  spliceBytes,
  withoutMember,
} from '../../../src/kernel/json.ts';

const DEPTH = 64;

const blank = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '  \n ');
const key = fc.oneof(
  fc.constantFrom(
    'model',
    'stream',
    '__proto__',
    'constructor',
    'toString',
    '',
    'a"b',
    'back\\slash',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
const members = fc.array(fc.tuple(key, value, blank, blank, blank, blank, fc.boolean()), {
  maxLength: 8,
});

/** Writes a text with its escapes chosen freely: every character may be a \u escape. */
function quote(text: string, escapeAll: boolean): string {
  if (!escapeAll) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

function scan(text: string, maxDepth = DEPTH): readonly JsonMember[] {
  const result = scanObject(Buffer.from(text), maxDepth);
  assert.equal(result.kind, 'members');
  return result.kind === 'members' ? result.members : [];
}

function valueText(text: string, member: JsonMember | undefined): string {
  assert.ok(member !== undefined);
  return Buffer.from(text).toString('utf8', member.valueStart, member.valueEnd);
}

test('every member is found with its key and exactly its value, whatever the layout', () => {
  fc.assert(
    fc.property(members, blank, (list, around) => {
      const parts = list.map(([name, item, a, b, c, d, escapeAll]) => {
        const written = JSON.stringify(item, null, escapeAll ? 2 : 0);
        return `${a}${quote(name, escapeAll)}${b}:${c}${written}${d}`;
      });
      const text = `${around}{${parts.join(',')}}${around}`;

      const found = scan(text);

      assert.deepEqual(
        found.map((member) => [member.key, JSON.parse(valueText(text, member))]),
        list.map(([name, item]) => [name, JSON.parse(JSON.stringify(item))]),
      );
      const parsed = JSON.parse(text) as Record<string, unknown>;
      assert.equal(new Set(found.map((member) => member.key)).size, Object.keys(parsed).length);
    }),
    { numRuns: 500 },
  );
});

test('a replaced value changes that member and nothing else', () => {
  fc.assert(
    fc.property(members, fc.nat(), fc.string({ unit: 'binary' }), (list, pick, replacement) => {
      const unique = [...new Map(list.map((entry) => [entry[0], entry])).values()];
      fc.pre(unique.length > 0);
      const written = unique.map(
        ([name, item]) => `${JSON.stringify(name)}: ${JSON.stringify(item)}`,
      );
      const text = `{${written.join(',')}}`;
      const target = scan(text)[pick % unique.length];
      assert.ok(target !== undefined);

      const changed = spliceBytes(Buffer.from(text), [
        { start: target.valueStart, end: target.valueEnd, text: JSON.stringify(replacement) },
      ]).toString();

      const expected = new Map(Object.entries(JSON.parse(text) as JsonObject));
      expected.set(target.key, JSON.parse(JSON.stringify(replacement)) as string);
      const actual = new Map(Object.entries(JSON.parse(changed) as JsonObject));
      assert.deepEqual(actual, expected);
    }),
  );
});

test('a member that is taken out leaves the others where they then lie', () => {
  fc.assert(
    fc.property(members, fc.nat(), blank, (list, pick, around) => {
      const unique = [...new Map(list.map((entry) => [entry[0], entry])).values()];
      fc.pre(unique.length > 0);
      const written = unique.map(
        ([name, item, a, b, c, d]) =>
          `${a}${JSON.stringify(name)}${b}:${c}${JSON.stringify(item)}${d}`,
      );
      const text = `${around}{${written.join(',')}}${around}`;
      const gone = unique[pick % unique.length]?.[0] ?? '';

      const rest = withoutMember(Buffer.from(text), scan(text), gone);

      const expected = Object.entries(JSON.parse(text)).filter(([name]) => name !== gone);
      const left = rest.bytes.toString();
      assert.deepEqual(new Map(Object.entries(JSON.parse(left))), new Map(expected));
      assert.deepEqual(rest.members, scan(left));
    }),
    { numRuns: 500 },
  );
});

test('taking out a member that is not there gives the very same bytes', () => {
  const bytes = Buffer.from('{"a":1}');
  const found = scan('{"a":1}');

  assert.deepEqual(withoutMember(bytes, found, 'b'), { bytes, members: found });
  assert.equal(withoutMember(bytes, found, 'b').bytes, bytes);
});

test('a key that appears twice is listed twice, in order', () => {
  const text = '{"a":1,"b":2,"\\u0061":3}';

  const found = scan(text);

  assert.deepEqual(
    found.map((member) => member.key),
    ['a', 'b', 'a'],
  );
  assert.equal(valueText(text, found[2]), '3');
});

test('__proto__ is a key like any other', () => {
  const text = '{"__proto__":{"polluted":true},"x":1}';

  assert.deepEqual(
    scan(text).map((member) => member.key),
    ['__proto__', 'x'],
  );
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('brackets, quotes, commas and colons inside strings are text', () => {
  const text = String.raw`{"a":"} , \" : ] \\","b":["]","\\\"}"],"c":"\\"}`;

  const found = scan(text);

  assert.deepEqual(
    found.map((member) => member.key),
    ['a', 'b', 'c'],
  );
  assert.equal(valueText(text, found[1]), String.raw`["]","\\\"}"]`);
  assert.equal(valueText(text, found[2]), String.raw`"\\"`);
});

test('numbers, literals and blanks around them are delimited exactly', () => {
  const text = '\n{ "a" : -1.5e+10 , "b":true\t,"c" : null , "d":0 }\r\n';

  const found = scan(text);

  assert.deepEqual(
    found.map((member) => valueText(text, member)),
    ['-1.5e+10', 'true', 'null', '0'],
  );
});

test('a text that does not open an object is none', () => {
  for (const text of ['', ' ', '[]', '"{}"', '1', 'null', '\uFEFF{}', 'x{']) {
    assert.equal(scanObject(Buffer.from(text), DEPTH).kind, 'not_an_object', JSON.stringify(text));
  }
});

test('nesting is allowed up to the limit and refused one past it', () => {
  const nested = (depth: number): Buffer =>
    Buffer.from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);

  assert.equal(scanObject(nested(64), 64).kind, 'members');
  assert.equal(scanObject(nested(65), 64).kind, 'too_deep');
});

test('a hundred thousand brackets are refused without a deep call stack', () => {
  const bytes = Buffer.from(`{"a":${'['.repeat(100_000)}`);

  assert.equal(scanObject(bytes, 64).kind, 'too_deep');
});

test('a scan of arbitrary bytes ends, and stays within them', () => {
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', ' ', 'a', '1') })
      .map((text) => Buffer.from(`{${text}`)),
  );
  fc.assert(
    fc.property(junk, (raw) => {
      const bytes = Buffer.from(raw);

      const result = scanObject(bytes, DEPTH);

      for (const member of result.kind === 'members' ? result.members : []) {
        assert.ok(member.valueStart > 0 && member.valueStart <= member.valueEnd);
        assert.ok(member.valueEnd <= bytes.length);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a scan of valid JSON lists the keys that JSON.parse keeps', () => {
  fc.assert(
    fc.property(fc.dictionary(key, value), (object) => {
      const text = JSON.stringify(object);
      const parsed = parseJson(text);
      assert.ok(isJsonObject(parsed));

      const names = new Set(scan(text).map((member) => member.key));

      assert.equal(names.size, Object.keys(parsed).length);
    }),
  );
});

test('equal values have one canonical text, and it parses to the value', () => {
  fc.assert(
    fc.property(fc.dictionary(key, value), (object) => {
      const source = JSON.parse(JSON.stringify(object)) as JsonObject;
      const shuffled = Object.fromEntries(Object.entries(source).reverse()) as JsonObject;

      const canonical = canonicalJson(source);

      assert.equal(canonicalJson(shuffled), canonical);
      assert.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(source)));
    }),
  );
});
