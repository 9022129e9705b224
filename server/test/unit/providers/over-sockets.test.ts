/**
 * Goal: whatever a provider does on its sockets ends in the right coded error or in the right
 * answer. Method: the scripted upstream, the real pooled transport and the real adapter.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import fc from 'fast-check';
import type { GatewayError, StreamFrame } from '../../../src/gateway/index.ts';
import type { UpstreamTimeouts } from '../../../src/gateway/ports/upstream.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createOpenaiAdapter } from '../../../src/providers/openai/adapter.ts';
import { createHttpUpstream, type HttpUpstream } from '../../../src/transport/http-upstream.ts';
import { openaiConnection } from '../../support/openai-connection.ts';
import { openaiFixture } from '../../support/openai-fixtures.ts';
import { providerCall } from '../../support/provider-call.ts';
import {
  type Behaviour,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream/index.ts';
import { until } from '../../support/until.ts';

const KEY = 'sk-secret-0123456789';
const SHORT: UpstreamTimeouts = { firstByteMs: 300, idleMs: 300 };

let scripted: ScriptedUpstream;
let http: HttpUpstream;

const adapter = createOpenaiAdapter(openaiConnection({ apiKey: KEY }));

before(async () => {
  scripted = await startScriptedUpstream();
  http = createHttpUpstream({
    name: 'scripted',
    baseUrl: new URL(scripted.url),
    connectMs: 1_000,
    connections: 8,
    clock: systemClock,
    log: silentLog,
  });
});

after(async () => {
  await http.destroy();
  await scripted.close();
});

afterEach(() => scripted.forget());

interface Read {
  readonly text: string;
  readonly terminal: string | null;
  readonly inputTokens: number | null;
  readonly finishReasons: readonly string[];
}

async function ask(
  more: JsonObject = {},
  timeouts = SHORT,
  signal = new AbortController().signal,
): Promise<Read> {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more };
  const call = providerCall('chat', body, 'm');
  const response = await http.send(adapter.encode(call), timeouts, signal);
  if (response.status !== 200) {
    throw adapter.decodeError(response, await response.body.collect(100_000));
  }
  if (more.stream !== true) {
    const bytes = await response.body.collect(1_000_000);
    const { usage, finishReasons } = adapter.decodeAnswer(call, response, bytes);
    const inputTokens = usage?.inputTokens ?? null;
    return { text: bytes.toString(), terminal: null, inputTokens, finishReasons };
  }
  const decoder = adapter.createStreamDecoder(call, response);
  const frames: (StreamFrame | null)[] = [];
  for await (const chunk of response.body) frames.push(decoder.push(chunk));
  frames.push(decoder.end());
  const seen = frames.filter((frame) => frame !== null);
  return {
    text: Buffer.concat(seen.map((frame) => frame.bytes)).toString(),
    terminal: seen.at(-1)?.terminal?.toString() ?? null,
    inputTokens: seen.findLast((frame) => frame.usage !== null)?.usage?.inputTokens ?? null,
    finishReasons: seen.flatMap((frame) => frame.finishReasons),
  };
}

async function codeOf(behaviour: Behaviour | string, more: JsonObject = {}): Promise<string> {
  scripted.next(behaviour);
  return ask(more).then(
    () => 'an answer',
    (error: GatewayError) => error.code,
  );
}

const SSE = { 'content-type': 'text/event-stream' };
const STREAM = { stream: true };

test('a call arrives with its bytes and headers, and is answered like the mock does', async () => {
  const answer = await ask();

  const [call] = scripted.calls;
  assert.equal(call?.path, '/v1/chat/completions');
  assert.equal(call?.headers.authorization, `Bearer ${KEY}`);
  assert.equal(call?.headers['accept-encoding'], 'identity');
  assert.equal(call?.body.toString(), '{"model":"m","messages":[{"role":"user","content":"Hi"}]}');
  assert.ok(answer.text.includes('You wrote: “Hi”.'));
  assert.ok((await until('the answer is booked', () => call?.answeredMs)) > 0);
  assert.equal(call?.clientClosedMs, null);
});

test('connections are kept for the next call', async () => {
  const before = scripted.connections.length;

  for (let i = 0; i < 5; i += 1) await ask(i % 2 === 0 ? {} : STREAM);

  assert.ok(scripted.connections.length - before <= 1);
});

test('plain answers that are none become coded errors', async () => {
  const json = { 'content-type': 'application/json' };
  const cases: readonly (readonly [string, Behaviour | string, string])[] = [
    ['reset before the head', { raw: '', ending: 'reset' }, 'upstream_unreachable'],
    ['closed before the head', { raw: '' }, 'upstream_unreachable'],
    ['silent', { silent: true }, 'upstream_timeout'],
    ['slow head', { headDelayMs: 5_000 }, 'upstream_timeout'],
    ['stall', 'stall=0', 'upstream_timeout'],
    ['reset within', 'reset=0', 'upstream_unreachable'],
    ['closed within', { endAfterBytes: 40, ending: 'fin' }, 'upstream_truncated'],
    ['cut within its JSON', 'cut=0', 'upstream_invalid'],
    ['garbled', 'garble=0', 'upstream_invalid'],
    ['empty', { body: '' }, 'upstream_invalid'],
    ['a page', { body: '<html>', headers: { 'content-type': 'text/html' } }, 'upstream_invalid'],
    ['a stream', { body: 'data: {}\n\n', headers: SSE }, 'upstream_invalid'],
    ['an error in 200', 'error=0', 'upstream_failed'],
    ['compressed', { encode: 'gzip' }, 'upstream_invalid'],
    ['badly compressed', { encode: 'bad-gzip' }, 'upstream_invalid'],
    ['too long', { body: 'x'.repeat(65_536), repeat: 20, headers: json }, 'upstream_too_long'],
    [
      'endless',
      { body: 'x'.repeat(65_536), repeat: Number.POSITIVE_INFINITY },
      'upstream_too_long',
    ],
    ['a large head', { headers: { 'x-large': 'x'.repeat(70_000) } }, 'upstream_invalid'],
    ['not HTTP', { raw: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'upstream_invalid'],
    [
      'two lengths',
      { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}' },
      'upstream_invalid',
    ],
  ];
  for (const [name, behaviour, code] of cases) {
    assert.equal(await codeOf(behaviour), code, name);
  }
});

test('no content is no answer', async () => {
  scripted.next('status=204');

  const response = await http.send(
    adapter.encode(providerCall('chat', { model: 'm', messages: [{ role: 'user' }] }, 'm')),
    SHORT,
    new AbortController().signal,
  );

  const call = providerCall('chat', { model: 'm', messages: [{ role: 'user' }] }, 'm');
  const bytes = await response.body.collect(10);
  assert.throws(() => adapter.decodeAnswer(call, response, bytes), { code: 'upstream_invalid' });
});

test('broken streams become coded errors', async () => {
  const cases: readonly (readonly [string, Behaviour | string, string])[] = [
    ['clean end too early', 'cut=3', 'upstream_truncated'],
    ['clean end within an event', 'cut=3.5', 'upstream_truncated'],
    ['closed before the body’s end', { endAfterBytes: 900, ending: 'fin' }, 'upstream_truncated'],
    ['reset', 'reset=3', 'upstream_unreachable'],
    ['stall', 'stall=3', 'upstream_timeout'],
    ['garbled', 'garble=3', 'upstream_invalid'],
    ['error event', 'error=3', 'upstream_failed'],
    [
      'JSON instead',
      { body: '{"choices":[]}', headers: { 'content-type': 'application/json' } },
      'upstream_invalid',
    ],
    ['nothing', { body: '', headers: SSE }, 'upstream_truncated'],
    ['compressed', { encode: 'gzip' }, 'upstream_invalid'],
    ['late first event', 'ttft=5s', 'upstream_timeout'],
    [
      'one endless event',
      { body: 'x'.repeat(65_536), repeat: 300, headers: SSE },
      'upstream_too_long',
    ],
  ];
  for (const [name, behaviour, code] of cases) {
    assert.equal(await codeOf(behaviour, STREAM), code, name);
  }
});

test('statuses with their waits become coded errors', async () => {
  scripted.next('status=429,retry-after=3');
  const limited = await ask().catch((error: GatewayError) => error);
  scripted.next('status=503,retry-after-date=7');
  const busy = await ask().catch((error: GatewayError) => error);
  scripted.next('status=401');
  const refused = await ask().catch((error: GatewayError) => error);

  assert.ok('code' in limited && 'code' in busy && 'code' in refused);
  assert.deepEqual([limited.code, limited.retryAfterMs], ['upstream_rate_limited', 3_000]);
  assert.equal(busy.code, 'upstream_unavailable');
  assert.ok((busy.retryAfterMs ?? 0) >= 6_000 && (busy.retryAfterMs ?? 0) <= 8_000);
  assert.equal(refused.code, 'upstream_credentials');
  assert.ok(!refused.message.includes(KEY), refused.message);
});

test('a redirect is not followed', async () => {
  const canary = await startScriptedUpstream();
  const location = `${canary.url}/chat/completions`;

  for (const status of [301, 302, 307, 308]) {
    assert.equal(await codeOf({ status, headers: { location }, body: '' }), 'upstream_invalid');
  }

  assert.equal(canary.calls.length, 0);
  await canary.close();
});

test('a stream cut anywhere gives the same bytes, usage and ends', async () => {
  const bytes = openaiFixture('chat.sse');
  scripted.next({ body: bytes, headers: SSE });
  const whole = await ask(STREAM);
  assert.deepEqual([whole.terminal, whole.inputTokens], ['data: [DONE]\n\n', 19]);

  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 }), async (cutAt) => {
      scripted.next({ body: bytes, headers: SSE, cutAt });
      assert.deepEqual(await ask(STREAM), whole);
    }),
    { numRuns: 40 },
  );
  scripted.next({ body: bytes.subarray(0, 700), headers: SSE, drip: { bytes: 1, everyMs: 1 } });
  await assert.rejects(ask(STREAM, { firstByteMs: 1_000, idleMs: 1_000 }), {
    code: 'upstream_truncated',
  });
});

test('a last event without its blank line ends the stream well', async () => {
  for (const dropEndBytes of [1, 2]) {
    scripted.next({ dropEndBytes });
    const { terminal, finishReasons } = await ask(STREAM);
    assert.deepEqual([terminal, finishReasons], ['data: [DONE]\n\n', ['stop']]);
  }
  scripted.next('done=off');
  assert.equal((await ask(STREAM)).terminal, 'data: [DONE]\n\n');
});

test('an abort closes the connection at once, before the head and within the body', async () => {
  for (const behaviour of [{ silent: true }, 'latency=60s', 'stall=2', 'ttft=60s', 'tps=5']) {
    scripted.forget();
    scripted.next(behaviour);
    const abort = new AbortController();
    const timeouts = { firstByteMs: 60_000, idleMs: 60_000 };
    const asked = ask(STREAM, timeouts, abort.signal).catch((error: unknown) => error);
    const call = await scripted.waitForCall(1);
    const abortedMs = performance.now();

    abort.abort(new Error('the client left'));
    const closedMs = await scripted.waitForClose(call, 2_000);

    assert.ok(closedMs - abortedMs < 100, `${closedMs - abortedMs} ms for ${String(behaviour)}`);
    assert.equal(call.connection.closedBy, 'client');
    assert.equal(call.answeredMs, null);
    assert.equal(((await asked) as Error).message, 'the client left');
  }
});

test('an upstream that refuses is unreachable, and reached again when it accepts', async () => {
  await scripted.refuse();
  await assert.rejects(ask(), { code: 'upstream_unreachable' });

  await scripted.accept();
  assert.ok((await ask()).text.length > 0);
});

test('scripts hold for a model, or for one call', async () => {
  scripted.script('m', 'status=503');
  scripted.next('status=404');

  const codes: unknown[] = [];
  for (let i = 0; i < 3; i += 1) codes.push(await ask().catch((error: GatewayError) => error.code));

  assert.deepEqual(codes, ['upstream_not_found', 'upstream_unavailable', 'upstream_unavailable']);
  assert.equal(scripted.callsOf('m').length, 3);
  assert.equal(scripted.callsOf('other').length, 0);
});

test('fail=2 in a script fails the first two calls', async () => {
  scripted.script('m', 'fail=2');

  await assert.rejects(ask(), { code: 'upstream_failed' });
  await assert.rejects(ask(STREAM), { code: 'upstream_failed' });
  assert.equal((await ask(STREAM)).terminal, 'data: [DONE]\n\n');
});
