/** Names of hosts: every spelling of one name reads as one, and what is no name as none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostName } from '../../../src/kernel/host-name.ts';

for (const [spelling, name] of [
  ['acme.example', 'acme.example'],
  ['ACME.Example', 'acme.example'],
  ['acme.example:8443', 'acme.example'],
  ['acme.example.', 'acme.example'],
  ['acme.example.:443', 'acme.example'],
  ['niño.example', 'xn--nio-8ma.example'],
  ['XN--NIO-8MA.example', 'xn--nio-8ma.example'],
  ['ａcme.example', 'acme.example'],
  ['localhost', 'localhost'],
] as const) {
  test(`${spelling} is the host ${name}`, () => {
    assert.equal(hostName(spelling), name);
  });
}

for (const text of [
  '',
  '.',
  ':80',
  '127.0.0.1',
  '127.0.0.1:80',
  '0x7f.1',
  '2130706433',
  '[::1]:80',
  'a b.example',
  'user@acme.example',
  'acme.example/path',
  'acme.example\\@other.example',
  'acme.example#x',
  'acme%2eexample',
  'acme..example',
  '-acme.example',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(130)}example`,
]) {
  test(`${JSON.stringify(text.slice(0, 30))} is the name of no host`, () => {
    assert.equal(hostName(text), null);
  });
}

test('whatever is a name stays the same name when it is read again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.string(), fc.webAuthority()), (text) => {
      const name = hostName(text);
      assert.equal(name === null ? null : hostName(name), name);
    }),
  );
});
