/** Signatures against the example that AWS publishes for S3, and against changes of a request. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signV4 } from '../../../src/transport/sigv4.ts';

/** "GET Bucket Lifecycle" of AWS's documentation of signatures for S3. */
const REQUEST = {
  method: 'GET',
  host: 'examplebucket.s3.amazonaws.com',
  path: '/',
  query: 'lifecycle=',
  body: new Uint8Array(),
};
const KEY = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 's3',
};
const NOW_MS = Date.UTC(2013, 4, 24);

describe('a signature of version 4', () => {
  it('is the one that AWS publishes for its example', () => {
    const headers = signV4(REQUEST, KEY, NOW_MS);

    assert.equal(headers['x-amz-date'], '20130524T000000Z');
    assert.equal(
      headers.authorization,
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
        'SignedHeaders=host;x-amz-content-sha256;x-amz-date, ' +
        'Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    );
  });

  it('is another for another method, path, host, body, key or day', () => {
    const own = signV4(REQUEST, KEY, NOW_MS).authorization;
    const others = [
      signV4({ ...REQUEST, method: 'HEAD' }, KEY, NOW_MS),
      signV4({ ...REQUEST, path: '/x' }, KEY, NOW_MS),
      signV4({ ...REQUEST, host: 'other' }, KEY, NOW_MS),
      signV4({ ...REQUEST, body: Buffer.from('x') }, KEY, NOW_MS),
      signV4(REQUEST, { ...KEY, secretAccessKey: 'other' }, NOW_MS),
      signV4(REQUEST, KEY, NOW_MS + 86_400_000),
    ];

    const all = new Set([own, ...others.map(({ authorization }) => authorization)]);
    assert.equal(all.size, 7);
  });
});
