/**
 * Goal: a price, a budget and a limit on a key hold under concurrent mixed calls, to the
 * nano-dollar. Method: the whole program over sockets; plain, streamed and abandoned calls at
 * once; the ledger is added up from outside and compared with the counters.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const CALLS = 300;
const PRICE = {
  input_usd_per_million: 0.0375,
  cached_input_usd_per_million: 0.01,
  output_usd_per_million: 0.15,
};
/** In pico-dollars per token, worked out by hand from the prices above. */
const INPUT_PICOUSD = 37_500;
const OUTPUT_PICOUSD = 150_000;

let gateway: TestGateway;

before(async () => {
  gateway = await startGateway({
    config: {
      models: {
        paid: { targets: [{ provider: 'mock', model: 'mock:tokens=20' }], price: PRICE },
        slow: {
          targets: [{ provider: 'mock', model: 'mock:latency=300ms,tokens=20' }],
          price: PRICE,
        },
        free: { targets: [{ provider: 'mock', model: 'mock' }] },
        unpriced: { targets: [{ provider: 'mock', model: 'no-such-price' }] },
      },
    },
  });
});

after(() => gateway.close());

interface Row {
  readonly id: string;
  readonly status: number;
  readonly outcome: string;
  readonly cost_nanousd: number | null;
  readonly price_id: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

async function rowsOf(keyId: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await gateway.api('GET', `/api/v1/requests?limit=200&key_id=${keyId}${query}`);
    rows.push(...(page.body.data as Row[]));
    cursor = page.body.next as string | null;
  } while (cursor !== null);
  return rows;
}

function costOf({ usage }: Row): number {
  const picousd = usage.input_tokens * INPUT_PICOUSD + usage.output_tokens * OUTPUT_PICOUSD;
  return Math.floor((picousd + 500) / 1000); // half up, once
}

async function codeOf(answer: Response): Promise<string> {
  const body = (await answer.json()) as { readonly error: { readonly code: string } };
  return body.error.code;
}

type Shape = 'plain' | 'stream' | 'aborted';
const SHAPES: readonly Shape[] = ['plain', 'stream', 'aborted'];

/** One call to its end; answers the status, 0 where the client left before it had one. */
async function callOnce(key: string, shape: Shape, text: string): Promise<number> {
  const abort = new AbortController();
  const messages = [{ role: 'user', content: text }];
  const body = { model: 'paid', messages, max_tokens: 30, stream: shape !== 'plain' };
  const answer = await gateway.chat(body, key, { signal: abort.signal });
  const { status } = answer;
  if (shape !== 'aborted') {
    await answer.arrayBuffer();
    return status;
  }
  const reader = answer.body?.getReader();
  await reader?.read();
  abort.abort();
  await reader?.closed.catch(() => undefined);
  return status;
}

async function callMany(key: string): Promise<readonly number[]> {
  const calls = Array.from({ length: CALLS }, (_, i) =>
    callOnce(key, SHAPES[i % SHAPES.length] ?? 'plain', `call ${i}`),
  );
  return Promise.all(calls);
}

/** All rows of a key, once every call has one and none is held any more. */
function settledRows(keyId: string): Promise<readonly Row[]> {
  return until('every call is booked', async () => {
    const rows = await rowsOf(keyId);
    return rows.length === CALLS ? rows : null;
  });
}

test('every ledger row costs exactly its tokens at the price it names', async () => {
  const key = await gateway.key();

  const statuses = await callMany(key.secret);
  const rows = await settledRows(key.id);

  assert.ok(statuses.every((status) => status === 200));
  for (const row of rows) assert.equal(row.cost_nanousd, costOf(row), JSON.stringify(row));
  assert.equal(new Set(rows.map(({ price_id }) => price_id)).size, 1);
  assert.equal(new Set(rows.map(({ id }) => id)).size, CALLS);
});

test('a budget is never overrun, and its counter equals the sum of the ledger', async () => {
  // One call costs at most 30 output tokens (4 500 nano-dollars) and some input: a call in
  // flight reserves under 13 000, so that 200 000 admits a few of them at a time.
  const limit = 200_000;
  const key = await gateway.key({ budget: { limit_usd: '0.0002', period: 'total' } });

  const statuses = await callMany(key.secret);
  const rows = await settledRows(key.id);

  const spent = rows.reduce((sum, row) => sum + (row.cost_nanousd ?? 0), 0);
  const state = await until('nothing is reserved', async () => {
    const { body } = await gateway.api('GET', '/api/v1/budgets');
    const found = body.data.find((each: { key_id: string }) => each.key_id === key.id);
    return found?.reserved_nanousd === 0 ? found : null;
  });
  assert.ok(spent <= limit, `${spent} of ${limit}`);
  assert.equal(state.spent_nanousd, spent);
  assert.equal(statuses.filter((status) => status === 402).length > 0, true);
  assert.equal(statuses.filter((status) => status === 200).length > 0, true);
  for (const row of rows) {
    assert.equal(row.status === 402 ? row.cost_nanousd : costOf(row), row.cost_nanousd);
  }
});

test('a used-up budget says so once and for all where it never renews', async () => {
  const key = await gateway.key({ budget: { limit_usd: '0.000000001', period: 'total' } });
  const messages = [{ role: 'user', content: 'hola' }];

  const answer = await gateway.chat({ model: 'paid', messages }, key.secret);

  assert.equal(answer.status, 402);
  assert.equal(await codeOf(answer), 'budget_exceeded');
  assert.equal(answer.headers.get('x-should-retry'), 'false');
  assert.equal(answer.headers.get('retry-after'), null);
});

test('a used-up budget that renews tells when', async () => {
  const key = await gateway.key({ budget: { limit_usd: '0.000000001', period: 'day' } });
  const messages = [{ role: 'user', content: 'hola' }];

  const answer = await gateway.chat({ model: 'paid', messages }, key.secret);
  await answer.arrayBuffer();

  assert.equal(answer.status, 402);
  assert.ok(Number(answer.headers.get('retry-after')) <= 86_400);
});

test('a budget outlives the process: its counter is rebuilt from the ledger', async () => {
  const first = await startGateway({ config: { models: {} } });
  const key = await first.key({ budget: { limit_usd: '1', period: 'total' } });
  await first.chat({ model: 'mock', messages: [{ role: 'user', content: 'a' }] }, key.secret);
  const before = (await first.api('GET', '/api/v1/budgets')).body.data[0];
  await first.server.close('now');

  const again = await startGateway({ config: { models: {} }, folder: first.folder });
  const rebuilt = (await again.api('GET', '/api/v1/budgets')).body.data[0];
  await again.close();
  await first.close();

  assert.ok(before.spent_nanousd > 0);
  assert.equal(rebuilt.spent_nanousd, before.spent_nanousd);
});

test('a limit of requests per minute lets exactly that many through', async () => {
  const key = await gateway.key({ limits: { requests_per_minute: 50 } });

  const statuses = await callMany(key.secret);

  assert.equal(statuses.filter((status) => status === 200).length, 50);
  assert.equal(statuses.filter((status) => status === 429).length, CALLS - 50);
});

test('a limit of concurrency holds for as long as the answers last', async () => {
  const key = await gateway.key({ limits: { concurrency: 3 } });
  const body = { model: 'slow', messages: [{ role: 'user', content: 'x' }] };

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => gateway.chat(body, key.secret)),
  );
  const statuses = answers.map(({ status }) => status);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  const after = await gateway.chat(body, key.secret);
  await after.arrayBuffer();

  assert.equal(statuses.filter((status) => status === 200).length, 3);
  assert.equal(statuses.filter((status) => status === 429).length, 17);
  assert.equal(after.status, 200);
});

test('a limit of tokens per minute counts what was really used', async () => {
  const key = await gateway.key({ limits: { tokens_per_minute: 1000 } });
  const body = { model: 'paid', messages: [{ role: 'user', content: 'x' }], max_tokens: 30 };

  let through = 0;
  let refused: Response | null = null;
  while (refused === null && through < 100) {
    const answer = await gateway.chat(body, key.secret);
    await answer.arrayBuffer();
    if (answer.status === 200) through += 1;
    else refused = answer;
  }

  assert.equal(refused?.status, 429);
  assert.ok(Number(refused?.headers.get('retry-after-ms')) > 0);
  assert.equal(refused?.headers.get('x-ratelimit-limit-tokens'), '1000');
  const used = (await rowsOf(key.id)).reduce(
    (sum, { usage }) => sum + usage.input_tokens + usage.output_tokens,
    0,
  );
  assert.ok(used <= 1000 && used > 900, `${used} tokens in ${through} calls`);
});

test('a request larger than a minute of tokens is not asked to come again', async () => {
  const key = await gateway.key({ limits: { tokens_per_minute: 50 } });
  const body = { model: 'paid', messages: [{ role: 'user', content: 'x' }], max_tokens: 4000 };

  const answer = await gateway.chat(body, key.secret);

  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('x-should-retry'), 'false');
  assert.match(await answer.text(), /counts as \d+ tokens, more than this key may use in a minute/);
});

test('a model without a price is booked as unpriced, and refused under a budget', async () => {
  const plain = await gateway.key();
  const budgeted = await gateway.key({ budget: { limit_usd: '1', period: 'total' } });
  const body = { model: 'unpriced', messages: [{ role: 'user', content: 'x' }] };

  const answer = await gateway.chat(body, plain.secret);
  const refused = await gateway.chat(body, budgeted.secret);

  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-esclusa-cost-usd'), null);
  const [row] = await rowsOf(plain.id);
  assert.equal(row?.cost_nanousd, null);
  assert.equal(refused.status, 403);
  assert.equal(await codeOf(refused), 'price_unknown');
});
