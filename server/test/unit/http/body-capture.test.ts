/**
 * Copies of what clients send and are given: where they are cut, what they may hold, and when
 * there are none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Exchange, KeptBodies } from '../../../src/gateway/index.ts';
import { createBodyCapture } from '../../../src/http/body-capture.ts';
import { ledgerEntry } from '../../support/storage.ts';
import { chatRequest, exchangeOf } from '../pipeline/fakes.ts';

interface Options {
  readonly maxBytes?: number;
  readonly heldBytesMax?: number;
}

function createFixture({ maxBytes = 100, heldBytesMax = 1 << 20 }: Options = {}) {
  const settings = { enabled: true, maxBytes };
  const kept: KeptBodies[] = [];
  const store = { keep: (bodies: KeptBodies) => void kept.push(bodies) };
  const capture = createBodyCapture(() => settings, store, heldBytesMax);
  return { settings, kept, capture };
}

/** An exchange with this prompt that has its row in the ledger. */
function settled(prompt: Uint8Array = new Uint8Array(0)): Exchange {
  const exchange = exchangeOf(chatRequest({ bytes: Buffer.from(prompt) }));
  exchange.entry = ledgerEntry({ id: 'req_1', tenant: 'acme', createdAtMs: 7 });
  return exchange;
}

function open({ capture }: ReturnType<typeof createFixture>) {
  const opened = capture.open();
  assert.ok(opened !== null);
  return opened;
}

test('nothing is opened while bodies are not kept', () => {
  const fixture = createFixture();
  fixture.settings.enabled = false;

  assert.equal(fixture.capture.open(), null);
});

test('bodies are kept under the id, tenant and time of their row', () => {
  const fixture = createFixture();
  const capture = open(fixture);

  capture.sent(Buffer.from('an'));
  capture.sent(Buffer.from('swer'));
  capture.close(settled(Buffer.from('prompt')));

  const [bodies] = fixture.kept;
  assert.deepEqual(
    { ...bodies, request: textOf(bodies?.request), response: textOf(bodies?.response) },
    { requestId: 'req_1', tenant: 'acme', createdAtMs: 7, request: 'prompt', response: 'answer' },
  );
});

test('a body of exactly the most bytes is whole; one byte more is cut and says so', () => {
  const fixture = createFixture({ maxBytes: 4 });
  for (const [asked, pieces] of [
    ['1234', ['12', '34']],
    ['12345', ['12', '345']],
    ['123456', ['1234', '56']],
  ] as const) {
    const capture = open(fixture);
    for (const piece of pieces) capture.sent(Buffer.from(piece));
    capture.close(settled(Buffer.from(asked)));
  }

  assert.deepEqual(
    fixture.kept.map(({ request, response }) => [
      [textOf(request), request?.truncated],
      [textOf(response), response?.truncated],
    ]),
    [
      [
        ['1234', false],
        ['1234', false],
      ],
      [
        ['1234', true],
        ['1234', true],
      ],
      [
        ['1234', true],
        ['1234', true],
      ],
    ],
  );
});

test('however an answer comes in pieces, what is kept is its beginning', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5000 }),
      (pieces, maxBytes) => {
        const fixture = createFixture({ maxBytes });
        const whole = Buffer.concat(pieces);
        const capture = open(fixture);

        for (const piece of pieces) capture.sent(piece);
        capture.close(settled());

        const response = fixture.kept[0]?.response ?? null;
        if (whole.length === 0) assert.equal(response, null);
        else {
          assert.deepEqual(Buffer.from(response?.bytes ?? []), whole.subarray(0, maxBytes));
          assert.equal(response?.truncated, whole.length > maxBytes);
        }
      },
    ),
  );
});

test('copies hold no more memory than they are long, and do not change with their source', () => {
  const fixture = createFixture({ maxBytes: 10 });
  const capture = open(fixture);
  const source = Buffer.from('0123456789 and a long rest');
  const prompt = settled(source);

  capture.sent(source);
  capture.close(prompt);
  source.fill(0);
  prompt.request.bytes.fill(0);

  const [bodies] = fixture.kept;
  assert.equal(bodies?.request?.bytes.buffer.byteLength, 10);
  assert.equal(bodies?.response?.bytes.buffer.byteLength, 10);
  assert.equal(textOf(bodies?.request), '0123456789');
  assert.equal(textOf(bodies?.response), '0123456789');
});

test('what was not read or not given is null', () => {
  const fixture = createFixture();

  open(fixture).close(settled());

  assert.equal(fixture.kept[0]?.request, null);
  assert.equal(fixture.kept[0]?.response, null);
});

test('an exchange without a row is not kept', () => {
  const fixture = createFixture();
  const capture = open(fixture);

  capture.sent(Buffer.from('refused'));
  capture.close(exchangeOf());

  assert.deepEqual(fixture.kept, []);
  assert.equal(fixture.capture.dropped(), 0);
});

test('an exchange that ends after keeping was switched off is not kept', () => {
  const fixture = createFixture();
  const capture = open(fixture);
  capture.sent(Buffer.from('answer'));

  fixture.settings.enabled = false;
  capture.close(settled(Buffer.from('prompt')));

  assert.deepEqual(fixture.kept, []);
});

test('answers that find no room are given up whole and counted; later ones have it again', () => {
  const fixture = createFixture({ maxBytes: 4096, heldBytesMax: 6000 });
  const first = open(fixture);
  const second = open(fixture);

  first.sent(Buffer.alloc(4096));
  second.sent(Buffer.alloc(1500));
  second.sent(Buffer.alloc(1000)); // 4096 + 2500 are more than 6000
  second.sent(Buffer.alloc(1));
  second.close(settled());
  first.close(settled());

  assert.deepEqual(
    fixture.kept.map(({ response }) => response?.bytes.length),
    [4096],
  );
  assert.equal(fixture.capture.dropped(), 1);

  const third = open(fixture);
  third.sent(Buffer.alloc(4096));
  third.close(settled());
  assert.equal(fixture.kept.length, 2);
});

function textOf(body: KeptBodies['request'] | undefined): string {
  return Buffer.from(body?.bytes ?? []).toString();
}
