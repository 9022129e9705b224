/**
 * Goal: nobody spends what they do not have, however a request is made up (attack F6): many
 * choices, the longest answer, fifty thousand messages, many streams at once, a client that
 * leaves before the last piece.
 * Method: the whole program over real sockets; a model with a price, keys with a budget; what
 * was reserved and booked is read afterwards, to the nano-dollar.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const PRICE = {
  input_usd_per_million: 1,
  cached_input_usd_per_million: 1,
  output_usd_per_million: 10,
};
const OUTPUT_NANOUSD = 10_000;
const ASK = { model: 'paid', messages: [{ role: 'user', content: 'Hola' }] };

let gateway: TestGateway;
before(async () => {
  const paid = (model: string) => ({ targets: [{ provider: 'mock', model }], price: PRICE });
  gateway = await startGateway({
    config: {
      models: { paid: paid('mock:tokens=20'), slow: paid('mock:tokens=400,tps=20') },
    },
  });
});
after(() => gateway.server.close('now'));

async function spent(id: string) {
  const { body } = await gateway.api('GET', '/api/v1/budgets');
  const state = body.data.find((each: { key_id: string }) => each.key_id === id);
  return { booked: state.spent_nanousd as number, reserved: state.reserved_nanousd as number };
}

const wishes: readonly (readonly [string, object])[] = [
  ['a hundred and twenty-eight choices', { n: 128, max_tokens: 1000 }],
  ['the longest answer there is', { max_tokens: 1_000_000 }],
  ['no limit at all', {}],
  [
    'fifty thousand messages',
    {
      max_tokens: 1,
      messages: Array.from({ length: 50_000 }, () => ({ role: 'user', content: 'x' })),
    },
  ],
];
for (const [what, more] of wishes) {
  test(`F6: ${what} is refused before any call where it could cost too much`, async () => {
    // A cent: what the least of them could cost is more.
    const key = await gateway.key({ budget: { limit_usd: '0.01', period: 'total' } });

    const refused = await gateway.chat({ ...ASK, ...more }, key.secret);
    const { error } = (await refused.json()) as { readonly error: { readonly code: string } };

    assert.deepEqual([refused.status, error.code], [402, 'budget_exceeded'], what);
    assert.deepEqual(await spent(key.id), { booked: 0, reserved: 0 });
    const row = await gateway.api('GET', `/api/v1/requests/${refused.headers.get('x-request-id')}`);
    assert.deepEqual([row.body.attempts, row.body.cost_nanousd], [0, 0]);
    const small = await gateway.chat({ ...ASK, max_tokens: 10 }, key.secret);
    assert.equal(small.status, 200, 'a modest request fits');
  });
}

test('F6: a hundred calls at once spend no more than there is', async () => {
  const limitNanousd = 10_000_000;
  const key = await gateway.key({ budget: { limit_usd: '0.01', period: 'total' } });

  const calls = Array.from({ length: 100 }, (_, at) =>
    gateway.chat({ ...ASK, max_tokens: 100, stream: at % 2 === 0 }, key.secret),
  );
  const answers = await Promise.all(calls);
  const statuses = answers.map(({ status }) => status);
  await Promise.all(answers.map((answer) => answer.text()));

  assert.ok(
    statuses.every((status) => status === 200 || status === 402),
    statuses.join(),
  );
  const { booked, reserved } = await spent(key.id);
  assert.equal(reserved, 0);
  assert.ok(booked > 0 && booked <= limitNanousd, String(booked));
});

test('F6: streams at once are as many as the key may have, and its places come back', async () => {
  const key = await gateway.key({ limits: { concurrency: 3 } });
  const open: AbortController[] = [];
  for (let at = 0; at < 3; at += 1) {
    const abort = new AbortController();
    const body = { ...ASK, model: 'slow', stream: true };
    const answer = await gateway.chat(body, key.secret, { signal: abort.signal });
    assert.equal(answer.status, 200);
    open.push(abort);
  }

  for (let at = 0; at < 10; at += 1) {
    const more = await gateway.chat({ ...ASK, model: 'slow', stream: true }, key.secret);
    assert.equal(more.status, 429);
    const { error } = (await more.json()) as { readonly error: { readonly code: string } };
    assert.equal(error.code, 'concurrency_limited');
  }
  for (const abort of open) abort.abort();
  await until('a place is free', async () => (await gateway.chat(ASK, key.secret)).status === 200);
});

test('F6: a client that leaves before the last piece pays for what it was sent', async () => {
  const key = await gateway.key({ budget: { limit_usd: '100', period: 'total' } });
  const abort = new AbortController();
  const body = { ...ASK, model: 'slow', stream: true };
  const answer = await gateway.chat(body, key.secret, { signal: abort.signal });
  assert.ok(answer.status === 200 && answer.body !== null);
  const reader = answer.body.getReader();
  let pieces = 0;
  while (pieces < 20) {
    const { done, value } = await reader.read();
    assert.ok(!done, `it ended after ${pieces} pieces`);
    pieces += Buffer.from(value).toString().split('"content"').length - 1;
  }
  abort.abort();

  const { booked } = await until('it is booked', async () => {
    const state = await spent(key.id);
    return state.reserved === 0 && state.booked > 0 ? state : null;
  });
  // Estimated from characters: a piece of the mock is a token of some letters.
  assert.ok(booked >= (pieces / 4) * OUTPUT_NANOUSD, `${pieces} pieces, ${booked}`);
  assert.ok(booked < 400 * OUTPUT_NANOUSD, 'and not for what was not');
});
