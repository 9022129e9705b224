/**
 * Where a credential may be put, and what is refused before anybody is asked who it is.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCredential } from '../../../src/http/credentials.ts';

function read(headers: readonly string[], url = '/v1/chat/completions') {
  const credential = readCredential({ rawHeaders: [...headers], url });
  if (credential.kind !== 'secret') return credential;
  const { address: _address, tenant: _tenant, ...found } = credential;
  return found;
}

function refusal(headers: readonly string[], url?: string): string | null {
  const credential = read(headers, url);
  return credential.kind === 'refused' ? credential.error.code : null;
}

describe('the credential of a request', () => {
  for (const headers of [
    ['Authorization', 'Bearer abc'],
    ['authorization', 'bearer   abc'],
    ['x-api-key', 'abc'],
    ['Api-Key', 'abc'],
    ['X-Goog-Api-Key', 'abc'],
    ['Authorization', 'Bearer abc', 'x-api-key', 'abc'],
    ['x-api-key', 'abc', 'x-api-key', 'abc'],
    ['x-api-key', '', 'authorization', 'Bearer abc'],
  ]) {
    it(`is found in ${headers.join(': ')}`, () => {
      assert.deepEqual(read(headers), { kind: 'secret', value: 'abc' });
    });
  }

  for (const headers of [
    [],
    ['Authorization', ''],
    ['Authorization', 'Bearer'],
    ['x-api-key', ''],
  ]) {
    it(`is missing in ${JSON.stringify(headers)}`, () => {
      assert.equal(read(headers).kind, 'none');
    });
  }

  for (const headers of [
    ['Authorization', 'Bearer abc', 'x-api-key', 'abd'],
    ['Authorization', 'Bearer abc', 'Authorization', 'Bearer abd'],
    ['x-goog-api-key', 'abc', 'api-key', 'abd'],
  ]) {
    it(`is refused as conflicting in ${headers.join(', ')}`, () => {
      assert.equal(refusal(headers), 'credentials_conflicting');
    });
  }

  for (const scheme of ['Basic YTpi', 'Digest x', 'abc', 'Bearerabc']) {
    it(`is refused in the scheme ${scheme}`, () => {
      assert.equal(refusal(['authorization', scheme]), 'credentials_invalid');
    });
  }

  for (const query of [
    'key=abc',
    'alt=sse&key=abc',
    'api_key=abc',
    'API-KEY=abc',
    'access_token=abc',
    'x-goog-api-key=abc',
    '%6bey=abc',
    'key',
  ]) {
    it(`is refused in the query ${query}, also beside a good one`, () => {
      assert.equal(refusal([], `/v1/models?${query}`), 'credentials_in_query');
      assert.equal(refusal(['x-api-key', 'abc'], `/v1/models?${query}`), 'credentials_in_query');
    });
  }

  for (const query of ['alt=sse', 'key_id=key_1', 'monkey=1', '%E0%A4%A', '', 'q=key']) {
    it(`is not looked for in the query ${query || 'without anything'}`, () => {
      assert.equal(read(['x-api-key', 'abc'], `/api/v1/requests?${query}`).kind, 'secret');
    });
  }
});
