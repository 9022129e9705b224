/**
 * What clients say of the cache in LiteLLM's way, and keys for all of their requests, from the
 * outside: it is heeded, and no provider sees it.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type Asked, ask } from './asking.ts';
import { type Surroundings, startSurroundings } from './surroundings.ts';

let around: Surroundings;

before(async () => {
  around = await startSurroundings();
});

after(() => around.close());

beforeEach(async () => {
  around.upstream.forget();
  await around.gateway.api('DELETE', '/api/v1/cache');
});

function asked(cache: object | null, temperature = 0, key = ADMIN_KEY): Promise<Asked> {
  const body = { temperature, ...(cache === null ? {} : { cache }) };
  return ask(around.gateway, { model: 'priced', body, key });
}

const said = ({ headers }: Asked): string | null => headers.get('x-cache');

test('a body with such words shares the answer of one without; nobody sees them', async () => {
  assert.equal(said(await asked({ ttl: 600 })), 'MISS');
  assert.equal(said(await asked(null)), 'HIT');
  assert.equal(said(await asked({ 's-maxage': 600, later: 1 })), 'HIT');

  assert.equal(around.upstream.calls.length, 1);
  const body = JSON.parse(String(around.upstream.calls[0]?.body));
  assert.equal(body.cache, undefined);
  assert.equal(body.temperature, 0);
});

test('no-cache asks anew and keeps the answer; no-store does neither', async () => {
  await asked(null);

  assert.equal(said(await asked({ 'no-cache': true })), 'MISS');
  assert.equal(said(await asked({ 'no-store': true })), 'BYPASS');
  assert.equal(said(await asked(null)), 'HIT');
});

test('a ttl is the wish to be kept at any temperature', async () => {
  assert.equal(said(await asked(null, 0.7)), 'BYPASS');
  assert.equal(said(await asked({ ttl: 60 }, 0.7)), 'MISS');
  assert.equal(said(await asked({ ttl: 60 }, 0.7)), 'HIT');
});

test('a namespace keeps apart from other answers of the tenant', async () => {
  await asked({ namespace: 'a' });

  assert.equal(said(await asked({ namespace: 'a' })), 'HIT');
  assert.equal(said(await asked({ namespace: 'b' })), 'MISS');
  assert.equal(said(await asked(null)), 'MISS');
});

test('a word of the wrong kind is refused by name before anything is called', async () => {
  const { status, error, text } = await asked({ ttl: 'long' });

  assert.equal(status, 400);
  assert.equal(error?.code, 'invalid_request');
  assert.equal(JSON.parse(text).error.param, 'cache.ttl');
  assert.equal(around.upstream.calls.length, 0);
});

test("a cache in somebody else's words reaches the provider byte for byte", async () => {
  await asked({ type: 'ephemeral' });

  assert.match(String(around.upstream.calls[0]?.body), /"cache":\{"type":"ephemeral"\}/);
});

test('a key says for all of its requests what it wants, and that can be changed', async () => {
  const { gateway } = around;
  const made = await gateway.api('POST', '/api/v1/keys', { name: 'k', cache: 'always' });
  assert.equal(made.body.cache, 'always');
  const { id, key } = made.body as { id: string; key: string };

  assert.equal(said(await asked(null, 0.7, key)), 'MISS');
  assert.equal(said(await asked(null, 0.7, key)), 'HIT');
  assert.equal(said(await asked(null, 0.7)), 'BYPASS');

  const changed = await gateway.api('PATCH', `/api/v1/keys/${id}`, { cache: 'off' });
  assert.equal(changed.body.cache, 'off');
  const passed = await asked({ ttl: 60 }, 0.7, key);
  assert.equal(said(passed), 'BYPASS');
  assert.match(passed.headers.get('cache-status') ?? '', /detail=off-for-key/);

  await gateway.api('PATCH', `/api/v1/keys/${id}`, { cache: 'requested' });
  assert.equal(said(await asked(null, 0, key)), 'BYPASS');
  assert.equal(said(await asked({ ttl: 60 }, 0, key)), 'MISS');
  assert.equal(said(await asked(null, 0)), 'HIT');
});

test('a key cannot want what is none of the words', async () => {
  const { status, body } = await around.gateway.api('POST', '/api/v1/keys', {
    name: 'k',
    cache: 'sometimes',
  });

  assert.equal(status, 400);
  assert.equal(body.error.field, 'cache');
});

test('cache-status tells an answer that was not wanted from one that was missing', async () => {
  const words = async (cache: object | null) =>
    (await asked(cache)).headers.get('cache-status') ?? '';

  assert.match(await words(null), /^esclusa; fwd=uri-miss; key=/);
  assert.match(await words({ 'no-cache': true }), /^esclusa; fwd=request; key=/);
  assert.match(await words(null), /^esclusa-memory; hit; key=/);
  assert.match(await words({ 'no-store': true }), /^esclusa; fwd=bypass; detail=no-store$/);
});

test('who wants only what is stored, and finds nothing, has missed', async () => {
  const { gateway, upstream } = around;
  const messages = [{ role: 'user', content: 'never asked before' }];
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      'cache-control': 'only-if-cached',
    },
    body: JSON.stringify({ model: 'priced', temperature: 0, messages }),
  });

  assert.equal(answer.status, 504);
  assert.equal(answer.headers.get('x-cache'), 'MISS');
  const said = answer.headers.get('cache-status') ?? '';
  assert.match(said, /^esclusa; key="[\w-]{43}"; detail=only-if-cached$/);
  assert.equal(upstream.calls.length, 0);
});

test('the key that an answer shows removes it, and nothing else', async () => {
  const first = await asked(null);
  await asked({ namespace: 'other' });
  const key = /key="([\w-]{43})"/.exec(first.headers.get('cache-status') ?? '')?.[1];

  const removed = await around.gateway.api('DELETE', `/api/v1/cache?entry=${key}`);

  assert.equal(removed.status, 200);
  assert.equal(said(await asked({ namespace: 'other' })), 'HIT');
  assert.equal(said(await asked(null)), 'MISS');
});
