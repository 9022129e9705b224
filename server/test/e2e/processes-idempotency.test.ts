/**
 * `Idempotency-Key` over processes that share a Redis: one call whichever process is asked,
 * also while it runs, also without Redis where the same process is asked; and nothing that
 * Redis holds can be read there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../support/gateway-fleet.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const redis = await startRedis(owner);
const fleet = await startFleet(owner, {
  ...{ processes: 2, redis },
  config: {
    models: { slow: { targets: [{ provider: 'mock', model: 'mock:latency=400ms,tokens=9' }] } },
    redis: { command_ms: 1000 },
  },
});

async function ask(member: number, secret: string, idempotencyKey: string, stream: boolean) {
  const answer = await fetch(`${fleet.url(member)}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify({
      ...{ model: 'slow', stream, temperature: 1 },
      messages: [{ role: 'user', content: 'palabras secretas' }],
    }),
  });
  const text = (await answer.text()).replaceAll(/^: esclusa .*\n\n/gm, '');
  const degraded = answer.headers.get('x-esclusa-degraded') ?? '';
  const replayed = answer.headers.get('idempotent-replayed') === 'true';
  return { status: answer.status, text, replayed, degraded };
}

test('the same request at two processes is one call, while it runs and afterwards', async () => {
  const key = await fleet.key();
  for (const stream of [false, true]) {
    const name = `order-${stream}`;
    const both = await Promise.all([0, 1].map((member) => ask(member, key.secret, name, stream)));
    const later = await ask(1, key.secret, name, stream);

    assert.deepEqual(new Set([...both, later].map(({ status }) => status)), new Set([200]));
    assert.equal(new Set([...both, later].map(({ text }) => text)).size, 1);
    assert.equal(both.filter(({ replayed }) => replayed).length, 1);
    assert.equal(later.replayed, true);
  }
});

test('nothing that is kept can be read in Redis', async () => {
  const key = await fleet.key();
  const { text } = await ask(0, key.secret, 'telling-name', false);
  const words = JSON.parse(text).choices[0].message.content as string;

  const names = (await redis.cli('keys', '*replay*')).split('\n');
  const dumps = await Promise.all(names.map((name) => redis.cli('dump', name)));

  assert.ok(names.length >= 1 && words.length > 5);
  for (const dump of [...names, ...dumps]) {
    assert.ok(!dump.includes('telling-name') && !dump.includes(words), dump.slice(0, 200));
  }
});

test('without Redis a process keeps answers by itself, and says so', async () => {
  const key = await fleet.key();
  redis.freeze();
  try {
    const first = await until('Redis is given up', async () => {
      const answer = await ask(0, key.secret, `alone-${Date.now()}`, false);
      return answer.degraded.includes('idempotency') ? answer : null;
    });
    const again = await ask(0, key.secret, 'alone', false);
    const more = await ask(0, key.secret, 'alone', false);

    assert.equal(first.status, 200);
    assert.equal(again.replayed, false);
    assert.equal(more.replayed, true);
    assert.match(more.degraded, /idempotency/);
  } finally {
    redis.thaw();
  }
});
