/**
 * Goal: a client that stops reading holds neither its answer nor its connection for ever (C2).
 * Method: clients on bare sockets that ask and then read nothing of an answer that no kernel
 * buffers whole, plain and streamed.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type Behaviour,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
const CONTENT = 'x'.repeat(24 * MIB);
const SSE = { 'content-type': 'text/event-stream' };

let upstream: ScriptedUpstream;
let gateway: TestGateway;

before(async () => {
  upstream = await startScriptedUpstream();
  const provider = { kind: 'openai-compatible', base_url: upstream.url, api_key: 'k' };
  gateway = await startGateway({
    config: {
      providers: { s: provider },
      models: { m: { targets: [{ provider: 's', model: 'mock' }] } },
      http: { stalled_reader_ms: 300 },
    },
  });
});

after(async () => {
  await gateway.close();
  await upstream.close();
});

const ABOUT = { id: 'c', created: 1, model: 'mock' };
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

const PLAIN: Behaviour = {
  body: JSON.stringify({
    ...{ ...ABOUT, object: 'chat.completion', usage: USAGE },
    choices: [
      { index: 0, message: { role: 'assistant', content: CONTENT }, finish_reason: 'stop' },
    ],
  }),
};

const STREAM: Behaviour = { headers: SSE, body: chunkOf('x'.repeat(MIB)), repeat: 200 };

function chunkOf(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ ...ABOUT, object: 'chat.completion.chunk', choices })}\n\n`;
}

/** Answers that have left, or were given up. */
async function ended(): Promise<number> {
  const response = await fetch(`${gateway.url}/metrics`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  const line = /^http_requests_total\{method="POST".*\} (\d+)$/m.exec(await response.text());
  return Number(line?.[1] ?? 0);
}

/** Asks, reads nothing until the gateway gave up, and tells how much there was to read. */
async function neverReading(stream: boolean): Promise<number> {
  const before = await ended();
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const body = JSON.stringify({ model: 'm', temperature: 1, stream, messages });
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  const head = [
    ...['POST /v1/chat/completions HTTP/1.1', 'host: test', `authorization: Bearer ${ADMIN_KEY}`],
    ...['content-type: application/json', `content-length: ${body.length}`],
  ];
  socket.on('error', () => undefined);
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await until('the gateway gave it up', async () => (await ended()) > before);
  let bytes = 0;
  socket.on('data', (data) => {
    bytes += data.length;
  });
  await until('the connection is closed', () => socket.closed);
  return bytes;
}

test('a plain answer that nobody reads is given up', async () => {
  upstream.next(PLAIN);
  assert.ok((await neverReading(false)) < CONTENT.length);
});

test('a stream that nobody reads is given up', async () => {
  upstream.next(STREAM);
  assert.ok((await neverReading(true)) < 200 * MIB);
});
