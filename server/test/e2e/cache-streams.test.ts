/**
 * Streams and the cache, from the outside: a stream is stored when it is complete, given again
 * byte for byte at no cost, and shared while it flows. Real sockets behind and before.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ADMIN_KEY } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { type Asked, ask } from './asking.ts';
import { type LedgerRow, type Surroundings, startSurroundings } from './surroundings.ts';

let around: Surroundings;

before(async () => {
  around = await startSurroundings({
    models: {
      brief: {
        targets: [{ provider: 'sockets', model: 'mock' }],
        cache: { ttl_seconds: 1, stale_if_error_seconds: 60 },
      },
    },
  });
});

after(() => around.close());

beforeEach(async () => {
  around.upstream.forget();
  await around.gateway.api('DELETE', '/api/v1/cache');
});

function stream(content: string, headers: Record<string, string> = {}): Promise<Asked> {
  return ask(around.gateway, {
    model: 'priced',
    stream: true,
    headers,
    body: { temperature: 0, messages: [{ role: 'user', content }] },
  });
}

/** Without the comment that tells what the exchange cost. */
function bytesOf({ text }: Asked): string {
  return text.replace(/^:.*\n\n/gm, '');
}

test('a complete stream is given again byte for byte, at no cost', async () => {
  const first = await stream('once');
  const second = await stream('once');

  assert.equal(first.headers.get('x-cache'), 'MISS');
  assert.equal(second.headers.get('x-cache'), 'HIT');
  assert.match(second.headers.get('cache-status') ?? '', /^esclusa-memory; hit; key="[\w-]{43}"$/);
  assert.equal(second.headers.get('age'), '0');
  assert.equal(bytesOf(second), bytesOf(first));
  assert.ok(second.done && second.said.length > 0);
  assert.equal(second.row.cost_nanousd, 0);
  assert.equal(second.row.cache, 'HIT');
  assert.ok((first.row.cost_nanousd ?? 0) > 0);
  assert.equal(around.upstream.calls.length, 1);
});

test('twenty equal streams at once are one call, and one of them pays', async () => {
  around.upstream.script('mock', 'ttft=100ms,tps=60');

  const all = await Promise.all(Array.from({ length: 20 }, () => stream('together')));

  assert.equal(around.upstream.calls.length, 1);
  assert.equal(new Set(all.map(bytesOf)).size, 1);
  assert.equal(all.filter(({ headers }) => headers.get('x-cache') === 'JOIN').length, 19);
  const costs = all.map(({ row }) => row.cost_nanousd ?? 0).filter((cost) => cost > 0);
  assert.equal(costs.length, 1);
});

/** The text of a request in each dialect, as it is on the wire, with what its stream ends in. */
const DIALECTS: readonly [name: string, path: string, body: object, end: RegExp][] = [
  [
    'openai',
    '/v1/chat/completions',
    { model: 'priced', stream: true, temperature: 0, messages: [{ role: 'user', content: 'x' }] },
    /data: \[DONE\]\n\n$/,
  ],
  [
    'anthropic',
    '/v1/messages',
    {
      model: 'priced',
      stream: true,
      temperature: 0,
      max_tokens: 5000,
      messages: [{ role: 'user', content: 'x' }],
    },
    /event: message_stop\ndata: .*\n\n$/,
  ],
  [
    'gemini',
    '/v1beta/models/priced:streamGenerateContent?alt=sse',
    {
      contents: [{ role: 'user', parts: [{ text: 'x' }] }],
      generationConfig: { temperature: 0 },
    },
    /"finishReason":"STOP".*\r?\n\r?\n$/s,
  ],
  [
    'gemini as one list',
    '/v1beta/models/priced:streamGenerateContent',
    {
      contents: [{ role: 'user', parts: [{ text: 'x' }] }],
      generationConfig: { temperature: 0 },
    },
    /\]\s*$/,
  ],
  [
    'responses',
    '/v1/responses',
    { model: 'priced', stream: true, temperature: 0, store: false, input: 'x' },
    /event: response\.completed\ndata: .*\n\n$/,
  ],
];

interface Sent {
  readonly cache: string | null;
  readonly text: string;
}

async function send(path: string, body: object): Promise<Sent> {
  const response = await fetch(`${around.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { cache: response.headers.get('x-cache'), text: text.replace(/^:.*\n\n/gm, '') };
}

for (const [name, path, body, end] of DIALECTS) {
  test(`a stream of the dialect ${name} is given again as it was, to its legal end`, async () => {
    const first = await send(path, body);
    const second = await send(path, body);

    assert.deepEqual([first.cache, second.cache], ['MISS', 'HIT']);
    assert.match(second.text, end);
    const ids = /resp_[0-9A-Za-z]+/g;
    assert.equal(second.text.replace(ids, ''), first.text.replace(ids, ''));
    assert.equal(around.upstream.calls.length, 1);
  });
}

test('a kept response has an id of its own, though its stream was made for another', async () => {
  const body = { model: 'priced', stream: true, temperature: 0, input: 'x' };
  const idsOf = ({ text }: Sent) => [...new Set(text.match(/"id":"resp_[^"]+"/g))];
  const [first, second] = [await send('/v1/responses', body), await send('/v1/responses', body)];

  assert.equal(second.cache, 'HIT');
  assert.equal(idsOf(first).length, 1);
  assert.equal(idsOf(second).length, 1);
  assert.notDeepEqual(idsOf(first), idsOf(second));
  const id = idsOf(second)[0]?.slice('"id":"'.length, -1);
  assert.equal((await around.gateway.api('GET', `/v1/responses/${id}`)).status, 200);
});

test('a leader that hangs up goes on for those who joined, and pays for all of it', async () => {
  around.upstream.script('mock', 'ttft=100ms,tps=30');
  const abort = new AbortController();
  const body = { model: 'priced', stream: true, temperature: 0 };
  const messages = [{ role: 'user', content: 'left alone' }];
  const leader = await around.gateway.chat({ ...body, messages }, ADMIN_KEY, {
    signal: abort.signal,
  });
  const joiner = stream('left alone');
  const reader = leader.body?.getReader();
  await reader?.read();
  abort.abort();

  const joined = await joiner;

  assert.equal(joined.headers.get('x-cache'), 'JOIN');
  assert.ok(joined.done);
  assert.equal(joined.row.cost_nanousd, 0);
  assert.equal(around.upstream.calls.length, 1);
  const id = leader.headers.get('x-request-id');
  const row = await until('the leader is booked', async () => {
    const { status, body: found } = await around.gateway.api('GET', `/api/v1/requests/${id}`);
    return status === 200 ? (found as LedgerRow) : null;
  });
  assert.ok((row.cost_nanousd ?? 0) > 0);
  assert.equal(row.usage.source, 'provider');
});

test('a stream is served stale while every target is down, and not where none is', async () => {
  const asked = { model: 'brief', body: { temperature: 0 }, stream: true };
  const first = await ask(around.gateway, asked);
  assert.ok(first.done);
  await until('it is stale', async () => {
    await around.upstream.refuse();
    return (await ask(around.gateway, asked)).headers.get('x-cache') === 'STALE';
  });

  const stale = await ask(around.gateway, asked);
  const none = await ask(around.gateway, { ...asked, body: { temperature: 0, seed: 1 } });

  assert.equal(stale.status, 200);
  assert.equal(bytesOf(stale), bytesOf(first));
  assert.match(
    stale.headers.get('cache-status') ?? '',
    /hit; fwd=stale; key="[\w-]{43}"; detail=\w+/,
  );
  assert.match(stale.headers.get('age') ?? '', /^\d+$/);
  assert.equal(none.status, 502);
  await around.upstream.accept();
});
