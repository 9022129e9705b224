/**
 * What is written to the journal is read back the same, and what is torn is never taken for a
 * record. The segment reader works on real files that are cut and damaged here.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { LedgerEntry } from '../../../src/gateway/model/ledger-entry.ts';
import { RECORD_MAX_BYTES, readRecord, writeRecord } from '../../../src/storage/journal/record.ts';
import { SegmentReader } from '../../../src/storage/journal/segment-reader.ts';
import { temporaryFolder } from '../../support/afterwards.ts';
import { ledgerEntry } from '../../support/storage.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 });
const count = fc.maxSafeNat();
const milliseconds = fc.nat(10_000_000).map((microseconds) => microseconds / 1000);

const entries: fc.Arbitrary<LedgerEntry> = fc
  .record({
    tenant: text,
    keyId: text,
    correlationId: text,
    model: text,
    provider: fc.option(text),
    providerModel: fc.option(text),
    priceId: fc.option(text),
    arm: fc.option(text),
    prompt: fc.option(text),
    costNanousd: fc.option(count),
    createdAtMs: count,
    durationMs: milliseconds,
    firstTokenMs: fc.option(milliseconds),
    stream: fc.boolean(),
    outcome: fc.constantFrom('completed', 'failed', 'aborted', 'rejected'),
    usage: fc.record({
      inputTokens: count,
      cachedInputTokens: count,
      outputTokens: count,
      reasoningTokens: count,
      source: fc.constantFrom('provider', 'estimated'),
    }),
  })
  .map((fields) => ledgerEntry(fields as Partial<LedgerEntry>));

function bytesOf(...written: readonly LedgerEntry[]): Buffer {
  return Buffer.concat(
    written.map((entry) => {
      const buffer = Buffer.alloc(RECORD_MAX_BYTES);
      return buffer.subarray(0, writeRecord(buffer, 0, entry));
    }),
  );
}

function readAll(path: string, recordsAtOnce: number): string[] {
  const reader = new SegmentReader();
  const seen: string[] = [];
  for (let offset = 0; ; ) {
    const piece = reader.read(path, offset, Number.MAX_SAFE_INTEGER, recordsAtOnce);
    seen.push(...piece.records.map(({ id }) => id));
    offset = piece.offset;
    if (piece.done) return seen;
  }
}

function readFile(path: string) {
  return new SegmentReader().read(path, 0, Number.MAX_SAFE_INTEGER, 1000);
}

test('every entry is read back with its figures and texts', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = bytesOf(entry);

      const record = readRecord(bytes.subarray(0, -1));

      assert(typeof record === 'object');
      assert.equal(bytes.indexOf('\n'), bytes.length - 1);
      assert.equal(record.model, entry.model);
      assert.equal(record.provider, entry.provider);
      assert.equal(record.arm, entry.arm);
      assert.equal(record.prompt, entry.prompt);
      assert.equal(record.correlationId, entry.correlationId);
      assert.equal(record.costNanousd, entry.costNanousd);
      assert.equal(record.inputTokens, entry.usage.inputTokens);
      assert.equal(record.durationUs, Math.round(entry.durationMs * 1000));
    }),
  );
});

test('a record of before arms were known is read, without one', () => {
  const entry = ledgerEntry({ arm: 'x/candidate' });
  const list = bytesOf(entry).subarray(9, -1).toString();
  const values: unknown[] = JSON.parse(list);
  const older = JSON.stringify([1, ...values.slice(1, -1)]);
  const checksum = crc32(older).toString(16).padStart(8, '0');

  const record = readRecord(Buffer.from(`${checksum} ${older}`));

  assert(typeof record === 'object');
  assert.deepEqual([record.id, record.arm, record.configGeneration], [entry.id, null, 7]);
});

test('a segment cut anywhere in its last record keeps the others and shows no part of it', (t) => {
  const first = ledgerEntry();
  const last = ledgerEntry({ model: 'ñandú 🚪' });
  const whole = bytesOf(first, last);
  const firstLength = bytesOf(first).length;
  const path = join(temporaryFolder(t), 'segment.log');

  for (let length = firstLength; length < whole.length; length += 1) {
    writeFileSync(path, whole.subarray(0, length));
    const { records, unreadable, done } = readFile(path);
    assert.deepEqual(
      records.map(({ id }) => id),
      [first.id],
      `cut at ${length}`,
    );
    assert.deepEqual([unreadable.length, done], [0, true]);
  }
  writeFileSync(path, whole);
  assert.deepEqual(
    readFile(path).records.map(({ id }) => id),
    [first.id, last.id],
  );
});

test('a damaged record is kept aside and hides neither the one before nor the one behind', (t) => {
  const written = [ledgerEntry(), ledgerEntry(), ledgerEntry()] as const;
  const [a, b, c] = written;
  const start = bytesOf(a).length;
  const damagedLength = bytesOf(b).length;
  const path = join(temporaryFolder(t), 'segment.log');

  for (let at = 0; at < damagedLength - 1; at += 1) {
    const bytes = bytesOf(...written);
    bytes[start + at] = (bytes[start + at] as number) ^ 0x01;
    writeFileSync(path, bytes);
    const { records, unreadable } = readFile(path);
    const ids = records.map(({ id }) => id);
    assert.deepEqual(ids, [a.id, c.id], `damaged at ${at}`);
    assert(unreadable.length >= 1);
  }
});

test('a page of zeros, as a power cut leaves it, is passed over', (t) => {
  const [a, b] = [ledgerEntry(), ledgerEntry()];
  const zeros = Buffer.concat([Buffer.alloc(700_000), Buffer.from('\n')]);
  const path = join(temporaryFolder(t), 'segment.log');
  writeFileSync(path, Buffer.concat([bytesOf(a), zeros, bytesOf(b)]));

  assert.deepEqual(readAll(path, 1000), [a.id, b.id]);
});

test('reading goes on from where it stopped, whatever the size of the pieces', (t) => {
  const written = Array.from({ length: 25 }, () => ledgerEntry());
  const path = join(temporaryFolder(t), 'segment.log');
  writeFileSync(path, bytesOf(...written));

  for (const recordsAtOnce of [1, 4, 25, 26]) {
    assert.deepEqual(
      readAll(path, recordsAtOnce),
      written.map(({ id }) => id),
    );
  }
});

test('a limit hides everything behind it', (t) => {
  const [a, b] = [ledgerEntry(), ledgerEntry()];
  const path = join(temporaryFolder(t), 'segment.log');
  writeFileSync(path, bytesOf(a, b));

  const { records, done } = new SegmentReader().read(path, 0, bytesOf(a).length, 1000);

  assert.deepEqual(
    records.map(({ id }) => id),
    [a.id],
  );
  assert.equal(done, true);
});

test('a record of a later layout is unknown, not corrupt and not misread', () => {
  const buffer = Buffer.alloc(RECORD_MAX_BYTES);
  const end = writeRecord(buffer, 0, ledgerEntry());
  const known = buffer.toString('utf8', 9, end - 1);

  assert.equal(typeof readRecord(lineOf(known)), 'object');
  assert.equal(readRecord(lineOf(known.replace('[2,', '[3,'))), 'unknown');
  assert.equal(readRecord(lineOf('{}')), 'unknown');
  assert.equal(readRecord(Buffer.from(`00000000 ${known}`)), 'corrupt');
  assert.equal(readRecord(Buffer.alloc(0)), 'corrupt');
});

test('texts from outside are cut, so that no record outgrows its bound', () => {
  const huge = '\u0000'.repeat(1_000_000);
  const entry = ledgerEntry({
    ...{ tenant: huge, keyId: huge, correlationId: huge, model: huge },
    ...{ provider: huge, providerModel: huge, priceId: huge },
  });
  const buffer = Buffer.alloc(RECORD_MAX_BYTES);

  const record = readRecord(buffer.subarray(0, writeRecord(buffer, 0, entry) - 1));

  assert(typeof record === 'object');
  assert.equal(record.model, '\u0000'.repeat(256));
});

test('a figure that is not an integer is refused', () => {
  const buffer = Buffer.alloc(RECORD_MAX_BYTES);

  for (const costNanousd of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => writeRecord(buffer, 0, ledgerEntry({ costNanousd })), /no integer/);
  }
});

/** A line with a checksum that fits. */
function lineOf(list: string): Buffer {
  const checksum = crc32(list).toString(16).padStart(8, '0');
  return Buffer.from(`${checksum} ${list}`);
}
