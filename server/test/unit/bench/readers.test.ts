/**
 * Goal: the benchmark never counts an answer that was not one, or an event twice. Method: its
 * three byte readers are fed hand-written HTTP and SSE, whole and cut at every place.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChunkCounter } from '../../../../bench/actors/load/chunk-counter.ts';
import { createAnswerReader } from '../../../../bench/actors/load/lane.ts';
import { createRequestReader } from '../../../../bench/actors/request-reader.ts';

/** Feeds the text in two pieces, cut at every place in turn. */
function atEveryCut(text: string, check: (pieces: readonly Buffer[], cut: number) => void): void {
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    check([bytes.subarray(0, cut), bytes.subarray(cut)], cut);
  }
}

function answersIn(pieces: readonly Buffer[], answerBytes: number | null): (string | null)[] {
  const seen: (string | null)[] = [];
  const read = createAnswerReader(answerBytes, (problem) => seen.push(problem));
  for (const piece of pieces) read(piece);
  return seen;
}

describe('reader of answers', () => {
  const withLength = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

  it('sees one right answer wherever the network cuts it', () => {
    atEveryCut(withLength, (pieces, cut) => {
      assert.deepEqual(answersIn(pieces, 5), [null], `cut at ${cut}`);
    });
    atEveryCut(chunked, (pieces, cut) => {
      assert.deepEqual(answersIn(pieces, null), [null], `cut at ${cut}`);
    });
  });

  it('calls another status, another length and a missing length by name', () => {
    const refusal = withLength.replace('200', '429');
    assert.deepEqual(answersIn([Buffer.from(refusal)], 5), ['status 429']);
    assert.deepEqual(answersIn([Buffer.from(withLength)], 6), ['5 bytes']);
    const endless = 'HTTP/1.1 200 OK\r\n\r\n';
    assert.deepEqual(answersIn([Buffer.from(endless)], 5), ['status without a length']);
  });

  it('reads the next answer of the same connection', () => {
    const read = [Buffer.from(withLength), Buffer.from(withLength)];
    assert.deepEqual(answersIn(read, 5), [null, null]);
  });
});

describe('counter of events', () => {
  const stream = 'data: {"a":1}\n\n: note\n\ndata: {"b":"data: "}\n\ndata: [DONE]\n\n';

  it('counts events with JSON, but neither comments nor the end, wherever they are cut', () => {
    atEveryCut(stream, (pieces, cut) => {
      const count = createChunkCounter();
      const total = pieces.reduce((sum, piece) => sum + count(piece), 0);
      assert.equal(total, 2, `cut at ${cut}`);
    });
  });
});

describe('reader of requests', () => {
  const request = 'POST /v1 HTTP/1.1\r\nhost: x\r\nContent-Length: 4\r\n\r\nbody';

  it('hands over each whole body, wherever the network cuts it', () => {
    atEveryCut(request + request, (pieces, cut) => {
      const bodies: string[] = [];
      const read = createRequestReader((body) => bodies.push(body.toString()));
      assert.ok(pieces.every((piece) => read(piece)));
      assert.deepEqual(bodies, ['body', 'body'], `cut at ${cut}`);
    });
  });

  it('gives up on a request without a length', () => {
    const read = createRequestReader(() => assert.fail('there is no body'));
    assert.equal(read(Buffer.from('POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n')), false);
  });
});
