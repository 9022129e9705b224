/** Records of a flight as bytes: read back as they were written, errors with all they say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import type { FlightHead, FlightRecord } from '../../../src/gateway/ports/shared-flights.ts';
import { decodeRecord, encodeRecord } from '../../../src/stores/redis/flight-codec.ts';

const HEAD: FlightHead = {
  ...{ stream: true, dialect: 'openai', contentType: 'text/event-stream' },
  ...{ provider: 'p', providerModel: 'm' },
};

const RECORDS: readonly FlightRecord[] = [
  { kind: 'head', head: HEAD },
  { kind: 'piece', bytes: Buffer.from('data: {}\n\n'), sequence: null },
  { kind: 'piece', bytes: Buffer.alloc(0), sequence: 7 },
  { kind: 'end', terminal: null },
  { kind: 'end', terminal: Buffer.from('data: [DONE]\n\n') },
];

for (const record of RECORDS) {
  test(`a record is read back as it was written: ${JSON.stringify(record).slice(0, 40)}`, () => {
    assert.deepEqual(decodeRecord(encodeRecord(record)), record);
  });
}

test('a failure is told with all that its leader knew of it', () => {
  const told = new GatewayError('upstream_rate_limited', {
    ...{ message: 'slow down', field: 'model', retryable: true, retryAfterMs: 1500 },
    ...{ upstreamCode: 'rate_limit', upstreamType: 'requests' },
  });
  const untold = new GatewayError('upstream_failed');

  for (const error of [told, untold]) {
    const read = decodeRecord(encodeRecord({ kind: 'failed', error }));
    assert.ok(read?.kind === 'failed');
    const { code, message, field, retryable, retryAfterMs } = read.error;
    const { upstreamCode, upstreamType } = read.error;
    assert.deepEqual(
      { code, message, field, retryable, retryAfterMs, upstreamCode, upstreamType },
      {
        ...{ code: error.code, message: error.message, field: error.field },
        ...{ retryable: error.retryable, retryAfterMs: error.retryAfterMs },
        ...{ upstreamCode: error.upstreamCode, upstreamType: error.upstreamType },
      },
    );
  }
});

test('a failure of a code that this version does not have is an internal one', () => {
  const written = encodeRecord({ kind: 'failed', error: new GatewayError('upstream_failed') });
  const other = Buffer.from(written.toString().replace('upstream_failed', 'of_tomorrow'));

  const read = decodeRecord(other);

  assert.ok(read?.kind === 'failed');
  assert.equal(read.error.code, 'internal_error');
});

test('a record of another version is none', () => {
  assert.equal(decodeRecord(Buffer.from('?what')), null);
  assert.equal(decodeRecord(Buffer.alloc(0)), null);
});
