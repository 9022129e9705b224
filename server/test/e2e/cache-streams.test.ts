/**
 * Streams and the cache, from the outside: a stream is stored when it is complete, given again
 * byte for byte at no cost, and shared while it flows. Real sockets behind and before.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
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
  assert.equal(second.headers.get('cache-status'), 'esclusa-memory; hit');
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
