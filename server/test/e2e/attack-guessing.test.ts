/**
 * Goal: who guesses is slowed down, and hurts nobody by it (attacks B10, B11): passwords of one
 * account, of many, from one address or spread over them; and keys.
 * Method: the whole program over real sockets behind a proxy it trusts, so that a test can come
 * from where it likes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call, newcomer, PASSWORD, register } from '../support/people.ts';

const LOGIN = '/api/v1/auth/login';
const ASK = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

async function start(t: { after(hook: () => unknown): void }): Promise<TestGateway> {
  const gateway = await startGateway({ config: { http: { trusted_proxies: '127.0.0.1, ::1' } } });
  t.after(() => gateway.close());
  return gateway;
}

const from = (address: string) => ({ 'x-forwarded-for': address });

type Guess = Awaited<ReturnType<typeof call>> | Response;

/**
 * Guesses one after the other; says how many came before the first 429, and how many the limit
 * lets through meanwhile: it grows back by the minute. Every 429 says how long to wait.
 */
async function guessed(times: number, perMinute: number, guess: (at: number) => Promise<Guess>) {
  const startedMs = performance.now();
  let before = 0;
  let mostBefore = Number.POSITIVE_INFINITY;
  for (let at = 0; at < times; at += 1) {
    const { status, headers } = await guess(at);
    if (status !== 429) {
      if (mostBefore === Number.POSITIVE_INFINITY) before += 1;
      continue;
    }
    const grownBack = Math.ceil(((performance.now() - startedMs) * perMinute) / 60_000);
    mostBefore = Math.min(mostBefore, perMinute + grownBack);
    const seconds = Number(headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  }
  assert.ok(before >= perMinute && before <= mostBefore, `${before}, at most ${mostBefore}`);
}

test('B11: a hundred wrong passwords for one account, from anywhere, are ten', async (t) => {
  const { url } = await start(t);
  await register(url, 'ana');
  const guess = (address: string, password = 'Wrong-Horse-1') =>
    call(url, 'POST', LOGIN, { body: { username: 'ana', password }, headers: from(address) });
  // Where the user has signed in before.
  assert.equal((await guess('198.51.100.1', PASSWORD)).status, 200);

  await guessed(100, 10, (at) => guess(`203.0.113.${at}`));

  assert.equal((await guess('198.51.100.1', PASSWORD)).status, 200, 'not for the user');
});

test('B10: registering takes as long for a taken address as for a free one', async (t) => {
  const { url } = await start(t);
  await register(url, 'taken');
  const times: Record<'taken' | 'free', number[]> = { taken: [], free: [] };
  const time = async (kind: 'taken' | 'free', at: number) => {
    const email = kind === 'taken' ? 'taken@uni.example' : `free-${at}@uni.example`;
    const body = { email, username: `${kind}-${at}`, password: PASSWORD };
    const startedMs = performance.now();
    const headers = from(`203.0.113.${at}`);
    const { status } = await call(url, 'POST', '/api/v1/auth/register', { body, headers });
    times[kind].push(performance.now() - startedMs);
    assert.equal(status, 201);
  };

  // Other work of the machine only adds to a time: the least are compared, more taken meanwhile.
  const least = (kind: 'taken' | 'free'): number => Math.min(...times[kind]);
  const differMs = (): number => Math.abs(least('taken') - least('free'));
  const mayMs = (): number => Math.max(5, least('free') * 0.25);
  for (let at = 0; at < 40; at += 1) {
    await time('taken', at);
    await time('free', at);
    if (at >= 10 && differMs() <= mayMs()) break;
  }

  assert.ok(differMs() <= mayMs(), `taken ${least('taken')} ms, free ${least('free')} ms`);
});

test('B11: wrong passwords of many accounts from one address are fifty', async (t) => {
  const { url } = await start(t);
  const guess = (name: number) =>
    call(url, 'POST', LOGIN, {
      body: { username: `nobody-${name}`, password: 'Wrong-Horse-1' },
      headers: from('203.0.113.9'),
    });

  await guessed(100, 50, guess);
});

test('B11: a hundred keys that nobody has are fifty, and good ones go on', async (t) => {
  const gateway = await start(t);
  const { url } = gateway;
  const { secret } = await gateway.key();
  const { access_token: token } = await newcomer(url, 'luis');
  const guess = (at: number, address = '203.0.113.9') => {
    const key = `esk_${String(at).padStart(43, 'x')}`;
    if (at % 2 === 0) return gateway.chat(ASK, key, { headers: from(address) });
    const broken = `${token.slice(0, -8)}${String(at).padStart(8, 'A')}`;
    const credential = at % 4 === 1 ? key : broken;
    return call(url, 'GET', '/api/v1/models', { token: credential, headers: from(address) });
  };

  await guessed(100, 50, (at) => guess(at));

  const good = await gateway.chat(ASK, secret, { headers: from('203.0.113.9') });
  const person = await call(url, 'GET', '/api/v1/auth/me', { token, headers: from('203.0.113.9') });
  const elsewhere = await guess(1, '203.0.113.10');
  assert.deepEqual([good.status, person.status, elsewhere.status], [200, 200, 401]);
  const refused = await gateway.chat(ASK, 'esk_x', { headers: from('203.0.113.9') });
  const { error } = (await refused.json()) as { readonly error: { readonly code: string } };
  assert.deepEqual([refused.status, error.code], [429, 'credentials_throttled']);
});
