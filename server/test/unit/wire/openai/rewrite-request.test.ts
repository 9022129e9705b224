/**
 * Goal: only what must change of a request changes, and not a byte beside it.
 * Method: requests in every layout, changed and compared with JSON.parse as oracle.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonObject, scanObject } from '../../../../src/kernel/json.ts';
import {
  type RequestChanges,
  type RewritableRequest,
  rewriteRequest,
} from '../../../../src/wire/openai/rewrite-request.ts';

const NOTHING: RequestChanges = { model: 'fast', askForUsage: false, olderTokenLimit: false };

function request(text: string): RewritableRequest {
  const bytes = Buffer.from(text);
  const scan = scanObject(bytes, 64);
  assert.ok(scan.kind === 'members');
  const { model } = JSON.parse(text) as { model: string };
  return { model, bytes, members: scan.members };
}

function rewritten(text: string, changes: Partial<RequestChanges>): string {
  return rewriteRequest(request(text), { ...NOTHING, ...changes }).toString();
}

test('a request that needs no change is the very same buffer', () => {
  const source = request('{ "model": "fast", "stream": true }');

  assert.equal(rewriteRequest(source, NOTHING), source.bytes);
});

test('the model is replaced where it stands, however its key is written', () => {
  assert.equal(
    rewritten('{"a":[1.0, 2],\n "model" : "fast" ,"z":"ñ"}', { model: 'gpt-4o "x"' }),
    '{"a":[1.0, 2],\n "model" : "gpt-4o \\"x\\"" ,"z":"ñ"}',
  );
  assert.equal(
    rewritten('{"mo\\u0064el":"fast","messages":[{"model":"inner"}]}', { model: 'm' }),
    '{"mo\\u0064el":"m","messages":[{"model":"inner"}]}',
  );
});

test('usage is asked for within the stream options the client sent, or beside them', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      '{"model":"fast","stream":true}',
      '{"model":"fast","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream_options":null,"model":"fast" }',
      '{"stream_options":{"include_usage":true},"model":"fast" }',
    ],
    [
      '{"model":"fast","stream_options":{}}',
      '{"model":"fast","stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"fast","stream_options":{ "include_obfuscation": false }}',
      '{"model":"fast","stream_options":{"include_usage":true, "include_obfuscation": false }}',
    ],
    [
      '{"model":"fast","stream_options":{"include_usage" : false , "x":1}}',
      '{"model":"fast","stream_options":{"include_usage" : true , "x":1}}',
    ],
    [
      '{"model":"fast","stream_options":{"include_usage":null}}',
      '{"model":"fast","stream_options":{"include_usage":true}}',
    ],
  ];
  for (const [source, expected] of cases) {
    assert.equal(rewritten(source, { askForUsage: true }), expected);
  }
});

test('the limit of tokens gets its older name, unless that is there too', () => {
  const older = { olderTokenLimit: true };

  assert.equal(
    rewritten('{"model":"fast","max_completion_tokens" : 5}', older),
    '{"model":"fast","max_tokens":5}',
  );
  assert.equal(
    rewritten('{"max_completion\\u005ftokens":5,"model":"fast"}', older),
    '{"max_tokens":5,"model":"fast"}',
  );
  const both = '{"model":"fast","max_tokens":4,"max_completion_tokens":5}';
  assert.equal(rewritten(both, older), both);
});

test('in any layout, the changed request differs in the changed members alone', () => {
  const blank = fc.constantFrom('', ' ', '\n  ');
  const options = fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    fc.record({ include_usage: fc.boolean(), other: fc.jsonValue() }, { requiredKeys: [] }),
  );
  const bodies = fc.record({
    others: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
    streamOptions: options,
    limit: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      bodies,
      blank,
      fc.nat(),
      fc.string({ minLength: 1 }),
      (parts, space, order, model) => {
        const { others, streamOptions, limit } = parts;
        const members: [string, unknown][] = [
          ...Object.entries(others).filter(([key]) => !/^(model|stream_options|max_)/.test(key)),
          ['model', 'fast'],
          ...(streamOptions === undefined
            ? []
            : [['stream_options', streamOptions] as [string, unknown]]),
          ...(limit === undefined ? [] : [['max_completion_tokens', limit] as [string, unknown]]),
        ];
        const turned = members.map((_, i) => members[(i + order) % members.length]);
        const source = `{${turned
          .map(
            (pair) =>
              `${space}${JSON.stringify(pair?.[0])}${space}:${space}${JSON.stringify(pair?.[1])}`,
          )
          .join(',')}${space}}`;

        const changed = rewritten(source, { model, askForUsage: true, olderTokenLimit: true });

        const before = JSON.parse(source) as Record<string, unknown>;
        const expected = new Map<string, unknown>(Object.entries(before));
        expected.set('model', model);
        const given = (streamOptions ?? {}) as JsonObject;
        expected.set(
          'stream_options',
          JSON.parse(JSON.stringify({ ...given, include_usage: true })),
        );
        if (limit !== undefined) {
          expected.delete('max_completion_tokens');
          expected.set('max_tokens', limit);
        }
        const after = new Map(Object.entries(JSON.parse(changed) as Record<string, unknown>));
        assert.deepEqual(after, expected);
      },
    ),
    { numRuns: 500 },
  );
});
