/**
 * Goal: what a collector answers is understood as the specification has it, and one that answers
 * nothing is left in time. Method: the sender over a way out that answers as the test says, a
 * clock moved by hand; over real sockets it is tried in `e2e/traces.test.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../../src/gateway/model/errors.ts';
import type { Upstream, UpstreamRequest } from '../../../../src/gateway/ports/upstream.ts';
import {
  createOtlpSender,
  type OtlpProtocol,
} from '../../../../src/telemetry/tracing/otlp-sender.ts';
import type { SendResult } from '../../../../src/telemetry/tracing/span-queue.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

const TIMEOUT_MS = 1000;
const NEVER = new AbortController().signal;

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

function setUp(protocol: OtlpProtocol, answer: (signal: AbortSignal) => Promise<Answer>) {
  const clock = createManualClock();
  const requests: UpstreamRequest[] = [];
  const upstream: Upstream = {
    async send(request, _timeouts, signal) {
      requests.push(request);
      const { status = 200, headers = {}, body = '' } = await answer(signal);
      const collect = () => Promise.resolve(Buffer.from(body));
      return { status, headers, body: { collect } as never };
    },
  };
  const headers = { authorization: 'Bearer k' };
  const path = '/v1/traces';
  const options = { clock, upstream, path, protocol, headers, timeoutMs: TIMEOUT_MS };
  return { clock, requests, send: createOtlpSender(options) };
}

const CASES: readonly (readonly [string, OtlpProtocol, Answer, SendResult])[] = [
  ['nothing more', 'http/protobuf', {}, { kind: 'sent', rejected: 0 }],
  [
    'that it kept all but two',
    'http/protobuf',
    { body: Buffer.from('0a020802', 'hex') },
    { kind: 'sent', rejected: 2 },
  ],
  [
    'the same as JSON',
    'http/json',
    { body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}' },
    { kind: 'sent', rejected: 2 },
  ],
  ['a page', 'http/json', { body: '<html>' }, { kind: 'sent', rejected: 0 }],
  ['null', 'http/json', { body: 'null' }, { kind: 'sent', rejected: 0 }],
  ['noise', 'http/protobuf', { body: '\xff\xff\xff' }, { kind: 'sent', rejected: 0 }],
  [
    'that it is too much, and when to come again',
    'http/protobuf',
    { status: 429, headers: { 'retry-after': '3' } },
    { kind: 'again', reason: 'the collector answered 429', afterMs: 3000 },
  ],
  [
    'that it is away',
    'http/protobuf',
    { status: 503, headers: { 'retry-after': 'soon' } },
    { kind: 'again', reason: 'the collector answered 503', afterMs: null },
  ],
  [
    'that it does not want them',
    'http/protobuf',
    { status: 400 },
    { kind: 'refused', reason: 'the collector answered 400' },
  ],
  [
    'where else to go',
    'http/protobuf',
    { status: 301, headers: { location: 'http://elsewhere' } },
    { kind: 'refused', reason: 'the collector answered 301' },
  ],
];

for (const [name, protocol, answer, expected] of CASES) {
  test(`a collector that says ${name} is understood`, async () => {
    const { requests, send } = setUp(protocol, () => Promise.resolve(answer));

    assert.deepEqual(await send([], NEVER), expected);
    const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
    assert.deepEqual(requests[0]?.headers, { authorization: 'Bearer k', 'content-type': type });
    assert.equal(requests[0]?.path, '/v1/traces');
  });
}

test('a collector that cannot be reached is tried again', async () => {
  const refused = () => Promise.reject(new GatewayError('upstream_unreachable'));

  const expected = { kind: 'again', reason: 'upstream_unreachable', afterMs: null };
  assert.deepEqual(await setUp('http/json', refused).send([], NEVER), expected);
});

test('one that answers nothing is left when its time is over, or when all ends', async () => {
  const silent = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const expected = { kind: 'again', reason: 'timeout', afterMs: null };

  const slow = setUp('http/json', silent);
  const sending = slow.send([], NEVER);
  slow.clock.advance(TIMEOUT_MS);
  assert.deepEqual(await sending, expected);
  assert.equal(slow.clock.pendingTimers(), 0);

  const ending = new AbortController();
  const cut = setUp('http/json', silent);
  const cutting = cut.send([], ending.signal);
  ending.abort();
  assert.deepEqual(await cutting, expected);
});
