/**
 * Goal: a call to a provider delivers exactly what was sent, ends in every case, and leaves
 * nothing behind. Method: real sockets on loopback against a server that speaks raw bytes.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { codeOf } from '../../support/gateway-error.ts';
import {
  CHUNKED,
  chunk,
  createTestUpstream,
  HEAD_OK,
  PATIENT,
  plainAnswer,
  post,
  recordingLog,
  startRawUpstream,
  unaborted,
  until,
} from './raw-upstream.ts';

test('a plain answer arrives whole, with its status and joined lower-case headers', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write(plainAnswer('{"ok":true}', 'X-Multi: a\r\nx-multi: b\r\n'));
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const answer = await upstream.send(post(), PATIENT, unaborted());
  const body = await answer.body.collect(1000);

  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['x-multi'], 'a, b');
  assert.equal(body.toString(), '{"ok":true}');
});

test('the request goes out below the base path with its own bytes and headers', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  await upstream.send(post('/chat/completions?x=1', '{"a":1}'), PATIENT, unaborted());

  const request = server.requests[0] ?? '';
  assert.match(request, /^POST \/v1\/chat\/completions\?x=1 HTTP\/1\.1\r\n/);
  assert.match(request, /\r\nauthorization: Bearer test\r\n/);
  assert.match(request, /\r\n\r\n\{"a":1\}$/);
});

test('connections are used again, one call at a time', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  for (let i = 0; i < 20; i += 1) {
    await (await upstream.send(post(), PATIENT, unaborted())).body.collect(100);
  }

  assert.equal(server.requests.length, 20);
  // A connection rests for one turn of the event loop after an answer: two take turns.
  assert(server.connections() <= 2, `${server.connections()} connections`);
});

test('a connection is replaced after 2000 calls, without an error', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 1 });

  for (let i = 0; i < 2000; i += 1) {
    await (await upstream.send(post(), PATIENT, unaborted())).body.collect(100);
  }
  assert.equal(server.connections(), 1);
  await (await upstream.send(post(), PATIENT, unaborted())).body.collect(100);

  assert.equal(server.connections(), 2);
});

test('pieces of a stream are read as they come, before the answer is complete', async (t) => {
  let socket: Socket | null = null;
  const server = await startRawUpstream(t, (connection) => {
    socket = connection;
    connection.write(CHUNKED + chunk('one'));
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const answer = await upstream.send(post(), PATIENT, unaborted());
  const pieces: string[] = [];
  for await (const piece of answer.body) {
    pieces.push(piece.toString());
    if (pieces.length === 1) (socket as Socket | null)?.write(chunk('two'));
    if (pieces.length === 2) (socket as Socket | null)?.write('0\r\n\r\n');
  }

  assert.deepEqual(pieces, ['one', 'two']);
});

test('any cutting of an answer gives the same bytes, collected or iterated', async (t) => {
  let plan: readonly string[] = [];
  const server = await startRawUpstream(t, (socket) => {
    socket.setNoDelay(true);
    socket.write(CHUNKED);
    for (const piece of plan) socket.write(chunk(piece));
    socket.write('0\r\n\r\n');
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const piece = fc.string({ minLength: 1, maxLength: 3000, unit: 'grapheme' });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.boolean(), async (pieces, whole) => {
      plan = pieces;
      const { body } = await upstream.send(post(), PATIENT, unaborted());
      const parts: Buffer[] = [];
      if (whole) parts.push(await body.collect(1_000_000));
      else for await (const part of body) parts.push(part);
      assert.equal(Buffer.concat(parts).toString(), pieces.join(''));
    }),
    { numRuns: 60 },
  );
});

test('an abort before the head closes the socket within 100 ms', async (t) => {
  const server = await startRawUpstream(t, () => undefined);
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const abort = new AbortController();

  const sending = upstream.send(post(), PATIENT, abort.signal);
  await until('the request arrives', () => server.requests.length === 1);
  const reason = new GatewayError('client_closed');
  abort.abort(reason);

  await assert.rejects(sending, (error) => error === reason);
  const tookMs = await until('the upstream sees the close', () => server.sockets.size === 0);
  assert(tookMs < 100, `closed after ${tookMs} ms`);
});

test('an abort within the body closes the socket within 100 ms', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(CHUNKED + chunk('one')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const abort = new AbortController();

  const { body } = await upstream.send(post(), PATIENT, abort.signal);
  const reading = body[Symbol.asyncIterator]();
  await reading.next();
  const pending = reading.next();
  const reason = new GatewayError('client_closed');
  abort.abort(reason);

  await assert.rejects(pending, (error) => error === reason);
  const tookMs = await until('the upstream sees the close', () => server.sockets.size === 0);
  assert(tookMs < 100, `closed after ${tookMs} ms`);
});

test('a signal aborted beforehand sends nothing', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const reason = new GatewayError('deadline_exceeded');

  const sending = upstream.send(post(), PATIENT, AbortSignal.abort(reason));

  await assert.rejects(sending, (error) => error === reason);
  assert.equal(server.connections(), 0);
});

test('a call given up while it waits for a socket is never written', async (t) => {
  const held: Socket[] = [];
  const server = await startRawUpstream(t, (socket) => held.push(socket));
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 1, maxQueued: 5 });
  const abort = new AbortController();

  const first = upstream.send(post('/first'), PATIENT, unaborted());
  await until('the first arrives', () => held.length === 1);
  const second = upstream.send(post('/second'), PATIENT, abort.signal);
  const third = upstream.send(post('/third'), PATIENT, unaborted());
  abort.abort(new GatewayError('client_closed'));
  assert.equal(await codeOf(second), 'client_closed');
  held[0]?.write(plainAnswer('1'));
  assert.equal((await (await first).body.collect(10)).toString(), '1');
  await until('the third arrives', () => held.length === 2);
  held[1]?.write(plainAnswer('3'));

  assert.equal((await (await third).body.collect(10)).toString(), '3');
  assert.deepEqual(
    server.requests.map((request) => request.split(' ')[1]),
    ['/v1/first', '/v1/third'],
  );
  assert.equal(server.connections(), 1);
});

test('leaving an iteration early closes the upstream call', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(CHUNKED + chunk('one')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());
  for await (const _ of body) break;

  await until('the upstream sees the close', () => server.sockets.size === 0);
});

test('cancelling an unread answer closes the upstream call, and twice is harmless', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(CHUNKED + chunk('one')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());
  body.cancel();
  body.cancel();

  await until('the upstream sees the close', () => server.sockets.size === 0);
  assert.equal(await codeOf(body.collect(10)), 'client_closed');
});

test('redirects are handed over and never followed', async (t) => {
  const canary = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const server = await startRawUpstream(t, (socket) => {
    const head = `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${canary.url.href}\r\n`;
    socket.write(`${head}content-length: 0\r\n\r\n`);
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const answer = await upstream.send(post(), PATIENT, unaborted());
  await answer.body.collect(10);

  assert.equal(answer.status, 307);
  assert.equal(canary.connections(), 0);
});

test('interim answers are skipped', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
    socket.write(plainAnswer('{}'));
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  assert.equal((await upstream.send(post(), PATIENT, unaborted())).status, 200);
});

test('a compressed answer is refused, whatever it would unpack to', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write(plainAnswer('not really gzip', 'content-encoding: gzip\r\n'));
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const sending = upstream.send(post(), PATIENT, unaborted());

  assert.equal(await codeOf(sending), 'upstream_invalid');
});

test('a compressed error keeps its status and loses its body', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    const body = 'not really gzip';
    const head = `HTTP/1.1 429 Too Many\r\nretry-after: 3\r\ncontent-encoding: gzip\r\n`;
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const answer = await upstream.send(post(), PATIENT, unaborted());

  assert.equal(answer.status, 429);
  assert.equal(answer.headers['retry-after'], '3');
  assert.equal((await answer.body.collect(100)).length, 0);
});

test('an answer beyond the limit is cut, declared or not', async (t) => {
  const flood = 'x'.repeat(2000);
  const answers = [plainAnswer(flood), CHUNKED + chunk(flood), `${HEAD_OK}\r\n${flood}`];
  for (const text of answers) {
    const server = await startRawUpstream(t, (socket) => socket.write(text));
    const upstream = createTestUpstream(t, { baseUrl: server.url });

    const { body } = await upstream.send(post(), PATIENT, unaborted());

    assert.equal(await codeOf(body.collect(1999)), 'upstream_too_long');
  }
});

test('an answer of exactly the limit is accepted', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('x'.repeat(2000))));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());

  assert.equal((await body.collect(2000)).length, 2000);
});

test('a reader that is behind pauses the socket, and gets every byte in the end', async (t) => {
  const totalBytes = 64 * 1024 * 1024;
  const block = Buffer.alloc(1024 * 1024, 'abcdefgh');
  let written = 0;
  const server = await startRawUpstream(t, (socket) => {
    socket.write(`${HEAD_OK}content-length: ${totalBytes}\r\n\r\n`);
    const pour = (): void => {
      while (written < totalBytes) {
        written += block.length;
        if (!socket.write(block)) {
          socket.once('drain', pour);
          return;
        }
      }
    };
    pour();
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());
  let seen = -1;
  let looksWithoutMore = 0;
  await until('the server can write no more', () => {
    looksWithoutMore = seen === written ? looksWithoutMore + 1 : 0;
    seen = written;
    return looksWithoutMore > 20;
  });
  const stalledAt = written;
  let received = 0;
  for await (const piece of body) received += piece.length;

  assert(stalledAt < 32 * 1024 * 1024, `the server could write ${stalledAt} bytes`);
  assert.equal(received, totalBytes);
});

test('ten thousand calls on one signal leave no listener, timer or socket behind', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 8 });
  const { signal } = new AbortController();
  let left = 10_000;

  const timersBefore = countTimers();
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await (await upstream.send(post(), PATIENT, signal)).body.collect(100);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));

  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(server.requests.length, 10_000);
  assert(server.sockets.size <= 8);
  assert(countTimers() <= timersBefore + 10);
  assert.equal(upstream.figures().running, 0);
  assert.equal(upstream.figures().queued, 0);
});

test('failed and aborted calls leave no listener behind either', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.destroy());
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const { signal } = new AbortController();

  for (let i = 0; i < 50; i += 1) {
    await assert.rejects(upstream.send(post(), PATIENT, signal));
  }

  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('calls beyond connections and queue are refused, those given up included', async (t) => {
  const held: Socket[] = [];
  const server = await startRawUpstream(t, (socket) => held.push(socket));
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 2, maxQueued: 3 });
  const abort = new AbortController();

  const running = [1, 2].map(() => upstream.send(post(), PATIENT, unaborted()));
  const waiting = [1, 2, 3].map(() => upstream.send(post(), PATIENT, abort.signal));
  const refusals = await Promise.all(
    [1, 2].map(() => codeOf(upstream.send(post(), PATIENT, unaborted()))),
  );
  abort.abort(new GatewayError('client_closed'));
  for (const call of waiting) assert.equal(await codeOf(call), 'client_closed');
  const stillRefused = await codeOf(upstream.send(post(), PATIENT, unaborted()));
  await until('both arrive', () => held.length === 2);
  for (const socket of held) socket.write(plainAnswer('{}'));
  for (const call of running) await (await call).body.collect(10);
  await until('the queue is empty', () => upstream.figures().queued === 0);
  const later = upstream.send(post(), PATIENT, unaborted());
  await until('a later call arrives', () => held.length === 3);
  held[2]?.write(plainAnswer('{}'));

  assert.deepEqual(refusals, ['overloaded', 'overloaded']);
  assert.equal(stillRefused, 'overloaded');
  assert.equal((await later).status, 200);
});

test('closing lets running calls end and refuses new ones', async (t) => {
  const held: Socket[] = [];
  const server = await startRawUpstream(t, (socket) => held.push(socket));
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const running = upstream.send(post(), PATIENT, unaborted());
  await until('the call arrives', () => held.length === 1);
  const closing = upstream.close();
  const late = upstream.send(post(), PATIENT, unaborted());
  held[0]?.write(plainAnswer('{}'));

  assert.equal(await codeOf(late), 'shutting_down');
  assert.equal((await (await running).body.collect(10)).toString(), '{}');
  await closing;
});

test('destroying cuts running calls', async (t) => {
  const server = await startRawUpstream(t, () => undefined);
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const running = upstream.send(post(), PATIENT, unaborted());
  const rejected = codeOf(running);
  await until('the call arrives', () => server.requests.length === 1);
  await upstream.destroy();

  assert.equal(await rejected, 'shutting_down');
});

test('an outage is logged once when it begins and once when it ends', async (t) => {
  let refuse = true;
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const log = recordingLog();
  const upstream = createTestUpstream(t, {
    baseUrl: new URL(`http://provider.test:${server.port}`),
    log,
    resolve: (_, done) => {
      const error = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
      if (refuse) done(error, []);
      else done(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });

  for (let i = 0; i < 20; i += 1) {
    assert.equal(await codeOf(upstream.send(post(), PATIENT, unaborted())), 'upstream_unreachable');
  }
  refuse = false;
  for (let i = 0; i < 20; i += 1) {
    await (await upstream.send(post(), PATIENT, unaborted())).body.collect(10);
  }

  assert.deepEqual(
    log.lines.map((line) => `${line.level} ${line.message}`),
    ['warn provider unreachable', 'info provider reachable again'],
  );
});

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
