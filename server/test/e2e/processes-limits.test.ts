/**
 * What is counted once for all processes: calls of a key, and attempts to sign in. Method: two
 * real processes over one folder and one real Redis, asked in turn.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../support/gateway-fleet.ts';
import { PASSWORD } from '../support/people.ts';
import { startRedis } from '../support/redis-server.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const redis = await startRedis(owner);
const fleet = await startFleet(owner, {
  ...{ processes: 2, redis },
  // A machine under load answers late; this is about counting, not about outages.
  config: { redis: { command_ms: 1000 } },
});

/** Eleven in turn: their statuses, and what the last one was told. */
async function eleven(ask: (url: string) => Promise<Response>) {
  const statuses: number[] = [];
  let retryAfter: string | null = null;
  for (let turn = 0; turn < 11; turn += 1) {
    const answer = await ask(fleet.url(turn));
    await answer.arrayBuffer();
    statuses.push(answer.status);
    retryAfter = answer.headers.get('retry-after');
  }
  return { statuses, retryAfter: Number(retryAfter) };
}

const repeated = (status: number) => [...Array<number>(10).fill(status), 429];

test('the eleventh call of a key in a minute is refused, whichever process is asked', async () => {
  const { secret } = await fleet.key({ limits: { requests_per_minute: 10 } });
  const body = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hola' }] });
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };

  const { statuses, retryAfter } = await eleven((url) =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body }),
  );

  assert.deepEqual(statuses, repeated(200));
  assert.ok(retryAfter >= 1 && retryAfter <= 60, `${retryAfter}`);
});

test('so is the eleventh wrong password for one account; right ones do not count', async () => {
  const account = { username: 'ana', email: 'ana@acme.example', roles: ['student'] };
  await fleet.api('POST', '/api/v1/users', { ...account, password: PASSWORD });
  const login = (password: string) => (url: string) =>
    fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ana', password }),
    });

  const right = await eleven(login(PASSWORD));
  assert.deepEqual(right.statuses, Array<number>(11).fill(200));

  const { statuses, retryAfter } = await eleven(login('wrong password'));

  assert.deepEqual(statuses, repeated(401));
  assert.ok(retryAfter >= 1 && retryAfter <= 60, `${retryAfter}`);
});
