/**
 * Goal: only a `traceparent` that its specification allows counts, and what is written can be
 * read. Method: pure functions, cases of the specification, random headers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTraceParent, writeTraceParent } from '../../../../src/gateway/model/trace.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = { traceId: TRACE, spanId: SPAN, sampled: true };

const CASES: readonly (readonly [string, string, boolean])[] = [
  ['the form of today', `00-${TRACE}-${SPAN}-01`, true],
  ['flags that mean nothing yet', `00-${TRACE}-${SPAN}-03`, true],
  ['a later version, longer', `01-${TRACE}-${SPAN}-01-what-comes`, true],
  ['today’s version, longer', `00-${TRACE}-${SPAN}-01-more`, false],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`, false],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
  ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`, false],
  ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`, false],
  ['no flags', `00-${TRACE}-${SPAN}`, false],
  ['nothing', '', false],
];

for (const [name, header, counts] of CASES) {
  test(`a traceparent with ${name} ${counts ? 'counts' : 'does not count'}`, () => {
    assert.deepEqual(readTraceParent(['TraceParent', header]), counts ? GOOD : null);
  });
}

test('a traceparent that is sent twice does not count, nor values of other headers', () => {
  const good = writeTraceParent(GOOD);

  assert.equal(readTraceParent(['traceparent', good, 'traceparent', good]), null);
  assert.equal(readTraceParent(['x-note', 'traceparent', 'host', good]), null);
});

test('what is written is read again, and no text makes reading throw', () => {
  const digits = (length: number) =>
    fc
      .string({
        unit: fc.constantFrom(...'0123456789abcdef'),
        minLength: length,
        maxLength: length,
      })
      .filter((text) => /[^0]/.test(text));
  const parents = fc.record(
    { traceId: digits(32), spanId: digits(16), sampled: fc.boolean() },
    { noNullPrototype: true },
  );

  fc.assert(
    fc.property(parents, fc.string(), (parent, text) => {
      assert.deepEqual(readTraceParent(['traceparent', writeTraceParent(parent)]), parent);
      readTraceParent(['traceparent', text]);
    }),
  );
});
