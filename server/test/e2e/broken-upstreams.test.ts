/**
 * Goal: whatever an upstream does, its client gets a legal end: an error frame where text was
 * sent, the right error in JSON where none was; never silence, never a false end marker; and
 * the ledger says what happened. Method: the whole gateway, and an upstream over real sockets
 * that breaks in every way sockets and bytes can. Limits of time are configured small.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type DeafServer, startDeafServer } from '../support/deaf-server.ts';
import type { TestGateway } from '../support/gateway.ts';
import {
  type Behaviour,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { type Asked, ask, assertBroken, assertFailed } from './asking.ts';
import { IDLE_MS, type Surroundings, startSurroundings } from './surroundings.ts';

const CONNECT_MS = 150;
const FIRST_TOKEN_MS = 400;
const TOTAL_MS = 1500;
const MIB = 1024 * 1024;

let around: Surroundings;
let gateway: TestGateway;
let upstream: ScriptedUpstream;
let canary: ScriptedUpstream;
let deaf: DeafServer;

before(async () => {
  canary = await startScriptedUpstream();
  deaf = await startDeafServer();
  const target = { provider: 'sockets', model: 'mock' };
  const price = { input_usd_per_million: 1, output_usd_per_million: 2 };
  around = await startSurroundings({
    providers: {
      deaf: { kind: 'openai-compatible', base_url: deaf.url, timeouts: { connect_ms: 500 } },
    },
    models: {
      unconnected: {
        targets: [{ provider: 'deaf', model: 'mock' }],
        price,
        timeouts: { connect_ms: CONNECT_MS },
      },
      // May be tried twice: what was sent to the client must keep it from that.
      twice: { targets: [target], price, retry: { attempts: 2 } },
      once: {
        targets: [target],
        price,
        timeouts: { connect_ms: 200, first_token_ms: FIRST_TOKEN_MS },
      },
      brief: {
        targets: [target],
        price,
        timeouts: { connect_ms: 100, first_token_ms: 200, idle_ms: IDLE_MS, total_ms: TOTAL_MS },
      },
    },
  });
  ({ gateway, upstream } = around);
});

after(async () => {
  await around.close();
  await canary.close();
  deaf.close();
});

beforeEach(() => upstream.forget());

function chunk(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'mock' };
  return `data: ${JSON.stringify({ ...head, choices })}\n\n`;
}

const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const HELLO = chunk('Hello');

const MESSAGES = [{ role: 'user', content: 'Say hello.' }];
/** 20 ms each: quicker than the idle limit, and never done within the total one. */
const DRIP = { bytes: 5, everyMs: 20 };
const CHUNKED_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** What upstreams do, by what comes of it and by how it is told. */
type Table = Readonly<Record<string, Readonly<Record<string, Behaviour>>>>;

/** `Hello` in a write of its own, then this. */
function afterHello(rest: string): Behaviour {
  return { headers: SSE, body: HELLO + rest, drip: { bytes: HELLO.length, everyMs: 5 } };
}

const BROKEN_BEHIND_TEXT: Table = {
  upstream_timeout: { 'falls silent': { options: 'stall=3' } },
  upstream_truncated: {
    'is cut cleanly': { options: 'cut=3' },
    'is cut within an event': { options: 'cut=3.5' },
    'is cut within its end marker, before any finish reason': afterHello('data: [DO'),
    'ends with its connection, before its body’s end': { endAfterBytes: 1200, ending: 'fin' },
    'turns into HTML': afterHello('<html>Bad Gateway</html>'),
  },
  upstream_unreachable: { 'is reset': { options: 'reset=3' } },
  upstream_invalid: {
    'is garbled': { options: 'garble=3' },
    'has data that is no object': afterHello('data: [1,2]\n\n'),
    'has choices that are no list': afterHello('data: {"choices":{"index":0}}\n\n'),
    'breaks its chunked encoding': {
      raw: `${CHUNKED_HEAD}${HELLO.length.toString(16)}\r\n${HELLO}\r\nnonsense\r\n`,
      cutAt: [CHUNKED_HEAD.length + HELLO.length + 6],
      ending: 'stall',
    },
  },
  upstream_failed: {
    'names an error': { options: 'error=3' },
    'has an event called error': afterHello('event: error\ndata: {"message":"oh"}\n\n'),
  },
  upstream_unavailable: {
    'names an error that says overloaded': afterHello(
      'data: {"error":{"type":"overloaded_error","message":"Later"}}\n\n',
    ),
  },
  upstream_too_long: {
    'has a line without an end': {
      headers: SSE,
      body: `${HELLO}data: {"x":"${'x'.repeat(9 * MIB)}`,
      cutAt: [HELLO.length],
    },
  },
};

for (const { name, behaviour, outcome: code } of casesOf(BROKEN_BEHIND_TEXT)) {
  test(`a stream that ${name} ends in an error frame ${code}, after one call`, async () => {
    upstream.next(behaviour);

    const asked = await ask(gateway, { model: 'twice', stream: true });

    assertBroken(asked, code);
    assert.notEqual(asked.said, '', 'what came before is delivered');
    assert.equal(upstream.calls.length, 1);
    assert.equal(asked.row.usage.source, 'estimated');
    assert.ok(asked.row.usage.output_tokens > 0 && (asked.row.cost_nanousd ?? 0) > 0);
    assert.ok(asked.tookMs < IDLE_MS + 1000, `took ${asked.tookMs} ms`);
  });
}

test('a stream that falls silent ends at the idle limit, and its connection too', async () => {
  upstream.next('stall=3');

  const asked = await ask(gateway, { model: 'twice', stream: true });

  assert.ok(asked.tookMs >= IDLE_MS, `took ${asked.tookMs} ms`);
  const [call] = upstream.calls;
  assert.ok(call !== undefined);
  await upstream.waitForClose(call, 1000);
});

test('a stream that drips without end is ended at the total limit', async () => {
  const drip = { ...DRIP, bytes: HELLO.length };
  upstream.next({ headers: SSE, body: HELLO, repeat: Number.POSITIVE_INFINITY, drip });

  const asked = await ask(gateway, { model: 'brief', stream: true });

  assertBroken(asked, 'deadline_exceeded');
  assert.ok(asked.tookMs >= TOTAL_MS && asked.tookMs < TOTAL_MS + 500, `took ${asked.tookMs} ms`);
});

test('a stream of events without end is cut at a bound', async () => {
  const event = `: ${'x'.repeat(4 * MIB)}\n\n`;
  upstream.next({ headers: SSE, body: HELLO + event, repeat: Number.POSITIVE_INFINITY });
  const response = await gateway.chat({ model: 'twice', stream: true, messages: MESSAGES });
  let bytes = 0;
  let last = '';
  for await (const part of response.body ?? []) {
    bytes += part.length;
    last = `${last}${Buffer.from(part).toString('latin1')}`.slice(-1000);
  }

  assert.match(last, /"code":"upstream_too_long".*\n\n$/s);
  assert.ok(bytes < 300 * MIB, `${bytes} bytes`);
});

/** The same for streams and plain answers. */
const UNREADABLE: Table = {
  '502 upstream_unreachable': {
    'resets the connection': { raw: '', ending: 'reset' },
    'closes the connection': { raw: '' },
  },
  '502 upstream_invalid': {
    'does not speak HTTP': { raw: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
    'sends content-length and transfer-encoding together': {
      raw:
        'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n' + 'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    },
    'sends a header of 64 KiB': { headers: { 'x-large': 'x'.repeat(65_536) } },
    'sends 204': { options: 'status=204' },
    'says compressed and is not': { encode: 'bad-gzip' },
    'sends HTML': { headers: { 'content-type': 'text/html' }, body: '<html>Sorry</html>' },
  },
};

const FAILED_BEFORE_TEXT: Table = {
  '504 upstream_timeout': {
    'never answers': { silent: true },
    'sends a head and no more': { headers: SSE, endAfterBytes: 0, ending: 'stall' },
    'sends half an event and no more': { headers: SSE, endAfterBytes: 40, ending: 'stall' },
  },
  '502 upstream_truncated': {
    'sends an empty body': { headers: SSE, body: '' },
    'sends HTML and calls it a stream': { headers: SSE, body: '<html>Sorry</html>' },
  },
  '502 upstream_invalid': {
    'sends the end marker alone': { headers: SSE, body: 'data: [DONE]\n\n' },
    'sends the right bytes under a wrong content type': {
      headers: { 'content-type': 'text/plain' },
    },
    'sends JSON where a stream is due': { headers: JSON_TYPE, body: '{"choices":[]}' },
    'sends a compressed stream': { encode: 'gzip' },
    'sends garbage as its first event': { options: 'garble=0' },
  },
  '502 upstream_failed': { 'sends an error as its first event': { options: 'error=0' } },
};

for (const each of [...casesOf(FAILED_BEFORE_TEXT), ...casesOf(UNREADABLE)]) {
  const { name, behaviour, outcome } = each;

  test(`a stream whose upstream ${name} is ${outcome}`, async () => {
    upstream.next(behaviour);

    const asked = await ask(gateway, { model: 'once', stream: true });

    const { status, code } = failureOf(outcome);
    assertFailed(asked, status, code);
    assert.equal(upstream.calls.length, 1);
    const limitMs = status === 504 ? FIRST_TOKEN_MS + 500 : 2000;
    assert.ok(asked.tookMs < limitMs, `took ${asked.tookMs} ms`);
  });
}

const NO_ANSWERS = ['null', '[]', '"text"', '{}', '{"choices":{}}', '{"id":', '<html></html>'];

const FAILED_PLAIN: Table = {
  '504 deadline_exceeded': {
    'never answers': { silent: true },
    'drips its body': { drip: DRIP },
  },
  '504 upstream_timeout': { 'falls silent half-way': { options: 'stall=1' } },
  '502 upstream_truncated': { 'closes within its body': { endAfterBytes: 100, ending: 'fin' } },
  '502 upstream_unreachable': { 'resets within its body': { options: 'reset=1' } },
  '502 upstream_invalid': {
    'cuts its body cleanly': { options: 'cut=1' },
    'sends an empty 200': { body: '' },
    ...Object.fromEntries(NO_ANSWERS.map((body) => [`sends ${body}`, { body }])),
    'sends a stream where JSON is due': { headers: SSE, body: `${HELLO}data: [DONE]\n\n` },
    'sends compressed JSON': { encode: 'gzip' },
  },
  '502 upstream_failed': { 'sends an error with status 200': { options: 'error=0' } },
  '502 upstream_too_long': { 'sends 65 MiB': { body: ' '.repeat(MIB), repeat: 65 } },
};

for (const each of [...casesOf(FAILED_PLAIN), ...casesOf(UNREADABLE)]) {
  const { name, behaviour, outcome } = each;

  test(`a plain answer whose upstream ${name} is ${outcome}`, async () => {
    upstream.next(behaviour);

    const asked = await ask(gateway, { model: 'brief' });

    const { status, code } = failureOf(outcome);
    assertFailed(asked, status, code);
    assert.equal(upstream.calls.length, 1);
    assert.ok(asked.tookMs < TOTAL_MS + 500, `took ${asked.tookMs} ms`);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'plain';

    test(`a redirect ${status} is not followed, ${how}`, async () => {
      const location = `${canary.url}/chat/completions`;
      upstream.next({ status, headers: { location }, body: '' });

      const asked = await ask(gateway, { model: 'once', stream });

      assertFailed(asked, 502, 'upstream_invalid');
      assert.equal(asked.headers.get('location'), null);
      assert.equal(asked.text.includes(String(canary.port)), false);
      assert.equal(canary.connections.length, 0);
    });
  }
}

const LEGAL: Readonly<Record<string, Behaviour>> = {
  'lacks the last line feed': { dropEndBytes: 1 },
  'lacks the last blank line': { dropEndBytes: 2 },
  'lacks its end marker': { options: 'done=off' },
  'breaks off within its end marker': { dropEndBytes: 6 },
};

for (const [name, behaviour] of Object.entries(LEGAL)) {
  test(`a stream that only ${name} ends well, with a whole end marker`, async () => {
    upstream.next(behaviour);
    const good = await ask(gateway, { model: 'priced', stream: true });

    const asked = await ask(gateway, { model: 'priced', stream: true });

    assert.ok(good.done && asked.done);
    assert.equal(asked.said, good.said);
    assert.equal(asked.row.outcome, 'completed');
    assert.deepEqual(asked.row.usage, good.row.usage);
    assert.equal(asked.text.split('[DONE]').length, 2);
  });
}

test('what an upstream sends behind its end marker is dropped', async () => {
  const end =
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  upstream.next({ headers: SSE, body: `${HELLO}${end}${chunk('More')}data: {"gar` });

  const asked = await ask(gateway, { model: 'priced', stream: true });

  assert.ok(asked.done);
  assert.equal(asked.said, 'Hello');
  assert.equal(asked.row.outcome, 'completed');
});

const PRIVATE = {
  server: 'internal-nginx/1.2',
  'set-cookie': 'session=upstream; Path=/',
  'x-internal-host': 'gpu-17.internal',
  'x-powered-by': 'Something',
  via: '1.1 internal',
  'x-request-id': 'upstream-id',
  'access-control-allow-origin': '*',
};

for (const [name, behaviour, stream] of [
  ['a plain answer', {}, false],
  ['a stream', {}, true],
  ['an error', { options: 'status=400' }, false],
  ['a stream that fails', { options: 'status=503' }, true],
] as const) {
  test(`${name} carries no header of the upstream`, async () => {
    upstream.next({ ...behaviour, headers: PRIVATE });

    const asked = await ask(gateway, { model: 'once', stream });

    const all = JSON.stringify([...asked.headers]);
    assert.doesNotMatch(all, /nginx|session|internal|Something|upstream-id/);
    assert.equal(asked.headers.get('access-control-allow-origin'), null);
    assert.equal(upstream.calls.length, 1);
  });
}

test('an upstream that refuses connections is 502 within 100 ms', async () => {
  await ask(gateway, { model: 'once' }); // a connection is open when the listener goes
  await upstream.refuse();
  // Other programs share the machine: the best of three is the gateway's own.
  const refused: Asked[] = [];
  for (let call = 0; call < 3; call += 1) refused.push(await ask(gateway, { model: 'once' }));
  await upstream.accept();
  const healed = await ask(gateway, { model: 'once' });

  for (const asked of refused) {
    assertFailed(asked, 502, 'upstream_unreachable');
    assert.deepEqual([asked.row.cost_nanousd, asked.row.usage.output_tokens], [0, 0]);
  }
  const tookMs = Math.min(...refused.map((asked) => asked.tookMs));
  assert.ok(tookMs < 100, `took ${tookMs} ms`);
  assert.equal(healed.status, 200, healed.text);
});

test('an upstream that takes no connection is 504 at the model’s own limit', async () => {
  const startedMs = performance.now();
  const asked = await ask(gateway, { model: 'unconnected', stream: true });

  assertFailed(asked, 504, 'upstream_timeout');
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= CONNECT_MS && tookMs < CONNECT_MS + 500, `took ${tookMs} ms`);
  assert.deepEqual([asked.row.cost_nanousd, asked.row.usage.output_tokens], [0, 0]);
});

interface Case {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly outcome: string;
}

function casesOf(table: Table): readonly Case[] {
  return Object.entries(table).flatMap(([outcome, cases]) =>
    Object.entries(cases).map(([name, behaviour]) => ({ name, behaviour, outcome })),
  );
}

function failureOf(outcome: string): { readonly status: number; readonly code: string } {
  const [status, code = ''] = outcome.split(' ');
  return { status: Number(status), code };
}
