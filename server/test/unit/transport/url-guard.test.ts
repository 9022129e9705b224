/**
 * Goal: a base URL supplied by a tenant cannot point inside; the operator's own may. Method:
 * a table of spellings, each judged under both policies.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkProviderUrl,
  operatorUrlPolicy,
  strictUrlPolicy,
  type UrlPolicy,
} from '../../../src/transport/url-guard.ts';

function accepts(text: string, policy: UrlPolicy): boolean {
  return checkProviderUrl(text, policy).ok;
}

/** [spelling, accepted from the operator] — each is refused from a tenant. */
const REFUSED_FROM_TENANTS: readonly [string, boolean][] = [
  ['http://127.0.0.1', true],
  ['https://127.0.0.1/v1', true],
  ['http://169.254.169.254/latest/meta-data', true],
  ['http://[::1]', true],
  ['http://[::ffff:10.0.0.1]', true],
  ['http://[::ffff:a00:1]', true],
  ['http://[0:0:0:0:0:ffff:10.0.0.1]', true],
  ['http://0x7f.1', true],
  ['http://0x7f000001', true],
  ['http://2130706433', true],
  ['http://017700000001', true],
  ['http://127.1', true],
  ['http://0.0.0.0', true],
  ['http://10.1.2.3', true],
  ['http://172.16.0.1', true],
  ['http://192.168.1.1', true],
  ['http://100.64.0.1', true],
  ['http://[fd00::1]', true],
  ['http://[fe80::1]', true],
  ['http://[::]', true],
  ['http://[64:ff9b::7f00:1]', true],
  ['http://[2002:7f00:1::]', true],
  ['http://[2001:db8::1]', true],
  ['http://127.0.0.1.', true],
  ['http://localhost.', true],
  ['https://provider.example.', true],
  ['http://①②⑦.⓪.⓪.①', true],
  ['http://provider.exämple', true],
  ['http://provider.example:6379', true],
  ['http://provider.example:22', true],
  ['https://provider.example:8443', true],
  ['http:\\\\provider.example\\v1', true],
  ['http://provider.example\\@127.0.0.1', true],
  ['https://a@b', false],
  ['https://user:pass@provider.example', false],
  ['https://provider.example#@127.0.0.1', false],
  ['https://provider.example/v1#', false],
  ['https://provider.example/v1?key=1', false],
  ['https://provider.example/v1?', false],
  ['https://provider.example/%2e%2e/admin', true],
  ['https://provider.example/a%2fb', true],
  [' https://provider.example', true],
  ['https://provider.example/\n', true],
  ['file:///etc/passwd', false],
  ['gopher://127.0.0.1:6379/_x', false],
  ['ftp://provider.example', false],
  ['javascript:alert(1)', false],
  ['provider.example', false],
  ['//provider.example', false],
  ['', false],
  ['https://', false],
];

for (const [text, fromOperator] of REFUSED_FROM_TENANTS) {
  const whom = fromOperator ? 'a tenant' : 'a tenant and the operator';
  test(`${JSON.stringify(text)} is refused from ${whom}`, () => {
    assert.equal(accepts(text, strictUrlPolicy()), false);
    assert.equal(accepts(text, operatorUrlPolicy), fromOperator);
  });
}

const ACCEPTED: readonly [string, string][] = [
  ['https://api.openai.com/v1', 'https://api.openai.com/v1'],
  ['https://API.openai.com:443/v1/', 'https://api.openai.com/v1'],
  ['http://provider.example', 'http://provider.example/'],
  ['https://xn--mnchen-3ya.example/openai//', 'https://xn--mnchen-3ya.example/openai'],
  ['https://8.8.8.8', 'https://8.8.8.8/'],
  ['https://[2606:4700::1111]', 'https://[2606:4700::1111]/'],
];

for (const [text, normalised] of ACCEPTED) {
  test(`${text} is accepted from both and written as ${normalised}`, () => {
    for (const policy of [strictUrlPolicy(), operatorUrlPolicy]) {
      const verdict = checkProviderUrl(text, policy);
      assert(verdict.ok, text);
      assert.equal(verdict.url.href, normalised);
    }
  });
}

test('the operator may open private ranges and ports to tenants, and only those', () => {
  const policy = strictUrlPolicy({ ranges: ['10.1.0.0/16', 'fd00::/8'], ports: [11434] });

  assert.equal(accepts('http://10.1.2.3:11434', policy), true);
  assert.equal(accepts('http://[fd12::1]:11434', policy), true);
  assert.equal(accepts('http://[::ffff:10.1.2.3]', policy), true);
  assert.equal(accepts('http://10.2.2.3:11434', policy), false);
  assert.equal(accepts('http://10.1.2.3:11435', policy), false);
});

test('a refusal never repeats the URL, which may hold a secret', () => {
  for (const text of [
    'https://user:hunter2@provider.example',
    'hunter2://x',
    'https://x?k=hunter2',
  ]) {
    for (const policy of [strictUrlPolicy(), operatorUrlPolicy]) {
      const verdict = checkProviderUrl(text, policy);
      assert(!verdict.ok);
      assert(!verdict.problem.includes('hunter2'), verdict.problem);
    }
  }
});

test('a range that is none is named when the policy is made', () => {
  for (const range of ['10.0.0.0', 'internal', '10.0.0.0/x', '10.0.0.0/33', '::/129']) {
    assert.throws(() => strictUrlPolicy({ ranges: [range] }), RangeError, range);
  }
});
