/**
 * What every way out to a provider promises (`gateway/ports/upstream.ts`), whatever carries
 * it. Each adapter registers the suite with requests that its own provider answers as named.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type TestContext, test } from 'node:test';
import { GatewayError } from '../../src/gateway/model/errors.ts';
import type { Upstream, UpstreamRequest } from '../../src/gateway/ports/upstream.ts';

export interface UpstreamHarness {
  readonly upstream: Upstream;
  /** Answered with 200 and a body of 20 bytes or more. */
  readonly plain: UpstreamRequest;
  /** Answered with 200 and at least three pieces, not all of them at once. */
  readonly stream: UpstreamRequest;
}

const PATIENT = { firstByteMs: 10_000, idleMs: 10_000 };

export function upstreamSuite(
  name: string,
  open: (t: TestContext) => Promise<UpstreamHarness>,
): void {
  test(`${name}: an answer has a status, lower-case headers and its whole body`, async (t) => {
    const { upstream, plain } = await open(t);

    const answer = await upstream.send(plain, PATIENT, new AbortController().signal);
    const body = await answer.body.collect(1_000_000);

    assert.equal(answer.status, 200);
    assert.deepEqual(
      Object.keys(answer.headers),
      Object.keys(answer.headers).map((header) => header.toLowerCase()),
    );
    assert.equal(typeof answer.headers['content-type'], 'string');
    assert(body.length >= 20);
  });

  test(`${name}: iterating and collecting give the same bytes`, async (t) => {
    const { upstream, plain } = await open(t);
    const { signal } = new AbortController();

    const collected = await (await upstream.send(plain, PATIENT, signal)).body.collect(1_000_000);
    const pieces: Buffer[] = [];
    for await (const piece of (await upstream.send(plain, PATIENT, signal)).body)
      pieces.push(piece);

    assert.equal(Buffer.concat(pieces).length, collected.length);
  });

  test(`${name}: an answer over the limit is refused, one at the limit is not`, async (t) => {
    const { upstream, plain } = await open(t);
    const { signal } = new AbortController();
    const { length } = await (await upstream.send(plain, PATIENT, signal)).body.collect(1_000_000);

    const exact = (await upstream.send(plain, PATIENT, signal)).body.collect(length);
    const over = (await upstream.send(plain, PATIENT, signal)).body.collect(length - 1);

    assert.equal((await exact).length, length);
    await assert.rejects(over, { code: 'upstream_too_long' });
  });

  test(`${name}: a stream comes in pieces and ends`, async (t) => {
    const { upstream, stream } = await open(t);

    const { body } = await upstream.send(stream, PATIENT, new AbortController().signal);
    let pieces = 0;
    for await (const piece of body) {
      assert(piece.length > 0);
      pieces += 1;
    }

    assert(pieces >= 2, `${pieces} pieces`);
  });

  test(`${name}: a signal aborted beforehand rejects with its reason`, async (t) => {
    const { upstream, plain } = await open(t);
    const reason = new GatewayError('deadline_exceeded');

    const sending = upstream.send(plain, PATIENT, AbortSignal.abort(reason));

    await assert.rejects(sending, (error) => error === reason);
  });

  test(`${name}: an abort within the body rejects the reader with its reason`, async (t) => {
    const { upstream, stream } = await open(t);
    const abort = new AbortController();
    const reason = new GatewayError('client_closed');

    const { body } = await upstream.send(stream, PATIENT, abort.signal);
    const reading = body[Symbol.asyncIterator]();
    await reading.next();
    abort.abort(reason);
    const rest = (async () => {
      while (!(await reading.next()).done);
    })();

    await assert.rejects(rest, (error) => error === reason);
  });

  test(`${name}: leaving early and cancelling are harmless, also twice`, async (t) => {
    const { upstream, stream } = await open(t);
    const { signal } = new AbortController();

    const { body } = await upstream.send(stream, PATIENT, signal);
    for await (const _ of body) break;
    body.cancel();
    body.cancel();
    const unread = await upstream.send(stream, PATIENT, signal);
    unread.body.cancel();

    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test(`${name}: finished calls leave no listener on the signal`, async (t) => {
    const { upstream, plain, stream } = await open(t);
    const { signal } = new AbortController();

    for (let i = 0; i < 20; i += 1) {
      await (await upstream.send(plain, PATIENT, signal)).body.collect(1_000_000);
    }
    for await (const _ of (await upstream.send(stream, PATIENT, signal)).body);

    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
}
