/**
 * Goal: whatever a provider does wrong has its own code, in time, and never looks like a
 * complete answer. Method: real sockets on loopback; the clock is real, its limits small.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { publicAddressesAnd } from '../../../src/transport/address-policy.ts';
import { startDeafServer } from '../../support/deaf-server.ts';
import { codeOf, rejectionOf } from '../../support/gateway-error.ts';
import {
  CHUNKED,
  chunk,
  createTestUpstream,
  HEAD_OK,
  PATIENT,
  plainAnswer,
  post,
  startRawUpstream,
  unaborted,
  until,
} from './raw-upstream.ts';

test('a refused connection is unreachable at once, and the message names no address', async (t) => {
  const server = await startRawUpstream(t, () => undefined);
  await server.stop();
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const startedMs = performance.now();
  const error = await rejectionOf(upstream.send(post(), PATIENT, unaborted()));

  assert.equal(error.code, 'upstream_unreachable');
  assert.equal(error.retryable, true);
  assert.equal(error.message, 'Provider `demo` could not be reached (ECONNREFUSED).');
  assert(performance.now() - startedMs < 500);
});

test('a connection that is never taken times out', async (t) => {
  const deaf = await startDeafServer();
  t.after(() => deaf.close());
  const upstream = createTestUpstream(t, { baseUrl: new URL(deaf.url), connectMs: 300 });

  const error = await rejectionOf(upstream.send(post(), PATIENT, unaborted()));

  assert.equal(error.code, 'upstream_timeout');
  assert.match(error.message, /did not take the connection in time/);
  assert.equal(error.neverSent, true);
});

test('a call waits for its connection as long as it may itself, and says so once', async (t) => {
  const deaf = await startDeafServer();
  t.after(() => deaf.close());
  const lines: string[] = [];
  const baseUrl = new URL(deaf.url);
  const log = { ...silentLog, warn: (message: string) => lines.push(message) };
  const upstream = createTestUpstream(t, { baseUrl, connectMs: 1500, log });
  const limits = { ...PATIENT, connectMs: 100 };

  const startedMs = performance.now();
  const sent = [1, 2, 3].map(() => upstream.send(post(), limits, unaborted()));
  const errors = await Promise.all(sent.map(rejectionOf));
  const tookMs = performance.now() - startedMs;

  for (const error of errors) {
    assert.equal(error.code, 'upstream_timeout');
    assert.match(error.message, /did not take the connection within 100 ms/);
    assert.equal(error.neverSent, true);
  }
  assert.ok(tookMs >= 100 && tookMs < 600, `took ${tookMs} ms`);
  await until('the pool has let go of them', () => upstream.figures().queued === 0);
  assert.deepEqual(lines, ['provider unreachable']);
});

test('a call that waits for a socket in use is not held to the limit of connecting', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    setTimeout(() => socket.write(plainAnswer('{}')), 300);
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 1, maxQueued: 1 });
  const limits = { ...PATIENT, connectMs: 100 };

  const first = upstream.send(post(), limits, unaborted());
  const second = upstream.send(post(), limits, unaborted());

  assert.equal((await first).status, 200);
  await (await first).body.collect(100);
  assert.equal((await second).status, 200);
});

test('an answer that never begins times out and closes the socket', async (t) => {
  const answers: readonly [string, string][] = [
    ['nothing', ''],
    ['a head', CHUNKED],
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-ty'],
  ];
  for (const [name, text] of answers) {
    const server = await startRawUpstream(t, (socket) => socket.write(text));
    const upstream = createTestUpstream(t, { baseUrl: server.url });
    const limits = { firstByteMs: 150, idleMs: 10_000 };

    const startedMs = performance.now();
    const read = upstream
      .send(post(), limits, unaborted())
      .then((answer) => answer.body.collect(100));
    const error = await rejectionOf(read);
    const tookMs = performance.now() - startedMs;

    assert.equal(error.code, 'upstream_timeout', name);
    assert.equal(error.message, 'Provider `demo` sent nothing for 150 ms.');
    assert(tookMs >= 145 && tookMs < 650, `${name}: ${tookMs} ms`);
    await until('the upstream sees the close', () => server.sockets.size === 0);
  }
});

test('silence within the body ends at the idle limit, after what came before', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(CHUNKED + chunk('one')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const limits = { firstByteMs: 10_000, idleMs: 120 };

  const { body } = await upstream.send(post(), limits, unaborted());
  const pieces: string[] = [];
  const error = await rejectionOf(
    (async () => {
      for await (const piece of body) pieces.push(piece.toString());
    })(),
  );

  assert.deepEqual(pieces, ['one']);
  assert.equal(error.code, 'upstream_timeout');
  await until('the upstream sees the close', () => server.sockets.size === 0);
});

test('a drip of bytes is not silence: the caller’s deadline ends it', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write(CHUNKED);
    const drip = setInterval(() => socket.write(chunk('x')), 20);
    socket.on('close', () => clearInterval(drip));
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const deadline = new AbortController();
  setTimeout(() => deadline.abort(new GatewayError('deadline_exceeded')), 300);

  const read = upstream
    .send(post(), { firstByteMs: 200, idleMs: 150 }, deadline.signal)
    .then((answer) => answer.body.collect(1_000_000));

  assert.equal(await codeOf(read), 'deadline_exceeded');
  await until('the upstream sees the close', () => server.sockets.size === 0);
});

interface Ending {
  readonly name: string;
  readonly text: string;
  readonly end: 'fin' | 'reset' | 'stay';
  readonly code: string;
}

const ENDINGS: readonly Ending[] = [
  { name: 'closed before any byte', text: '', end: 'fin', code: 'upstream_unreachable' },
  { name: 'reset before any byte', text: '', end: 'reset', code: 'upstream_unreachable' },
  { name: 'closed within the head', text: 'HTTP/1.1 2', end: 'fin', code: 'upstream_unreachable' },
  {
    name: 'closed before the declared length',
    text: `${HEAD_OK}content-length: 20\r\n\r\n{"half":`,
    end: 'fin',
    code: 'upstream_truncated',
  },
  {
    name: 'closed before the declared length, the connection not to be kept',
    text: `${HEAD_OK}connection: close\r\ncontent-length: 20\r\n\r\n{"half":`,
    end: 'fin',
    code: 'upstream_truncated',
  },
  {
    name: 'closed before the last chunk',
    text: CHUNKED + chunk('{"half":'),
    end: 'fin',
    code: 'upstream_truncated',
  },
  {
    name: 'closed before the last chunk, the connection not to be kept',
    text: `${HEAD_OK}connection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunk('half')}`,
    end: 'fin',
    code: 'upstream_truncated',
  },
  {
    name: 'closed within a chunk',
    text: `${CHUNKED}ff\r\nhalf`,
    end: 'fin',
    code: 'upstream_truncated',
  },
  {
    name: 'reset within the body',
    text: CHUNKED + chunk('{"half":'),
    end: 'reset',
    code: 'upstream_unreachable',
  },
  {
    name: 'reset within a body that would end with the connection',
    text: `${HEAD_OK}connection: close\r\n\r\n{"half":`,
    end: 'reset',
    code: 'upstream_truncated',
  },
  {
    name: 'bytes that are not HTTP',
    text: 'SSH-2.0-x\r\n\r\n',
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'a length and chunks together',
    text: `${HEAD_OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'two lengths',
    text: `${HEAD_OK}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd`,
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'a chunk size that is no number',
    text: `${CHUNKED}zz\r\nabc\r\n`,
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'a head of 64 KB',
    text: `${HEAD_OK}x-filler: ${'x'.repeat(65_536)}\r\ncontent-length: 2\r\n\r\n{}`,
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'an interim 100 nobody asked for',
    text: `HTTP/1.1 100 Continue\r\n\r\n${plainAnswer('{}')}`,
    end: 'stay',
    code: 'upstream_invalid',
  },
  {
    name: 'an upgrade nobody asked for',
    text: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    end: 'stay',
    code: 'upstream_invalid',
  },
];

for (const ending of ENDINGS) {
  test(`${ending.name}: ${ending.code}, sent once`, async (t) => {
    const server = await startRawUpstream(t, (socket) => {
      socket.write(ending.text, () => {
        if (ending.end === 'fin') socket.end();
        // A reset overtakes bytes that the other side has not read yet.
        if (ending.end === 'reset') setTimeout(() => socket.resetAndDestroy(), 30);
      });
    });
    const upstream = createTestUpstream(t, { baseUrl: server.url });

    const read = upstream
      .send(post(), PATIENT, unaborted())
      .then((answer) => answer.body.collect(1_000_000));

    assert.equal(await codeOf(read), ending.code);
    assert.equal(server.requests.length, 1);
    await until('the socket is closed', () => server.sockets.size === 0);
  });
}

test('an answer that ends with its connection is complete', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.end(`${HEAD_OK}connection: close\r\n\r\n{"whole":1}`);
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());

  assert.equal((await body.collect(100)).toString(), '{"whole":1}');
});

test('what came before a failure is read before the failure is thrown', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write(CHUNKED + chunk('one'), () => socket.end());
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  const { body } = await upstream.send(post(), PATIENT, unaborted());
  await until('the connection ends', () => upstream.figures().connected === 0);
  const pieces: string[] = [];
  const reading = (async () => {
    for await (const piece of body) pieces.push(piece.toString());
  })();

  assert.equal(await codeOf(reading), 'upstream_truncated');
  assert.deepEqual(pieces, ['one']);
});

test('a connection closed while idle is not used again', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    socket.write(plainAnswer('{}'), () => socket.end());
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });

  for (let i = 0; i < 20; i += 1) {
    await (await upstream.send(post(), PATIENT, unaborted())).body.collect(10);
    await until('the close is noticed', () => upstream.figures().connected === 0);
  }

  assert.equal(server.requests.length, 20);
});

test('a request that a kept connection swallowed is reported, not sent twice', async (t) => {
  const server = await startRawUpstream(t, (socket) => {
    if (server.requests.length === 1) socket.write(plainAnswer('{}'));
    else socket.destroy();
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url, connections: 1 });

  await (await upstream.send(post(), PATIENT, unaborted())).body.collect(10);
  const error = await rejectionOf(upstream.send(post(), PATIENT, unaborted()));

  assert.equal(error.code, 'upstream_unreachable');
  assert.equal(error.retryable, true);
  assert.equal(server.requests.length, 2);
});

test('a name that resolves into a private range is refused without a connection', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, {
    baseUrl: new URL(`http://rebind.test:${server.port}`),
    addresses: publicAddressesAnd([]),
    resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  });

  const error = await rejectionOf(upstream.send(post(), PATIENT, unaborted()));

  assert.equal(error.code, 'upstream_unreachable');
  assert.equal(error.retryable, false);
  assert.equal(server.connections(), 0);
});

test('a literal private address is refused unconnected, and allowed in a range', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const strict = createTestUpstream(t, {
    baseUrl: server.url,
    addresses: publicAddressesAnd([]),
  });
  const allowed = createTestUpstream(t, {
    baseUrl: server.url,
    addresses: publicAddressesAnd(['127.0.0.0/8']),
  });

  assert.equal(await codeOf(strict.send(post(), PATIENT, unaborted())), 'upstream_unreachable');
  assert.equal(server.connections(), 0);
  assert.equal((await allowed.send(post(), PATIENT, unaborted())).status, 200);
});

test('a header that cannot be sent is our own fault and hurts no connection', async (t) => {
  const server = await startRawUpstream(t, (socket) => socket.write(plainAnswer('{}')));
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const request = { ...post(), headers: { authorization: 'Bearer a\nb' } };

  const error = await rejectionOf(upstream.send(request, PATIENT, unaborted()));

  assert.equal(error.code, 'internal_error');
  assert(!String(error.cause).includes('Bearer'));
  assert.equal((await upstream.send(post(), PATIENT, unaborted())).status, 200);
});

test('an endless answer in single bytes costs memory in proportion to the limit', async (t) => {
  const flood = Buffer.from(chunk('x').repeat(10_000));
  const server = await startRawUpstream(t, (socket) => {
    socket.write(CHUNKED);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(flood));
      if (!socket.destroyed) socket.once('drain', pour);
    };
    pour();
  });
  const upstream = createTestUpstream(t, { baseUrl: server.url });
  const before = process.memoryUsage().rss;

  const { body } = await upstream.send(post(), PATIENT, unaborted());

  assert.equal(await codeOf(body.collect(2_000_000)), 'upstream_too_long');
  assert(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});
