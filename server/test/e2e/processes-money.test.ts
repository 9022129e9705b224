/**
 * Goal: limits and budgets hold over several processes to the request and the nano-dollar,
 * also when one of them is killed and when Redis forgets everything.
 * Method: three real processes over one folder and one real Redis; plain, streamed and
 * abandoned calls at once; the ledger is added up from outside and compared with the counter.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_KEY } from '../support/gateway.ts';
import { startFleet } from '../support/gateway-fleet.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const PROCESSES = 3;
const CALLS = 500;
const OUTPUT_TOKENS = 30;
/** Nano-dollars of one call at most: its bytes as input tokens at 1, 30 output tokens at 1000. */
const CALL_MOST = 31_000;
const BUDGET = 100 * CALL_MOST;
const PRICE = {
  input_usd_per_million: 0.001,
  cached_input_usd_per_million: 0.001,
  output_usd_per_million: 1,
};

const MODEL = 'mock:latency=50ms,tokens=30';
/** Long enough for something to happen while they run. */
const SLOW = 'mock:latency=1500ms,tokens=30';
const SLOWER = 'mock:latency=8000ms,tokens=30';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const redis = await startRedis(owner);
const fleet = await startFleet(owner, {
  ...{ processes: PROCESSES, redis },
  config: {
    models: {
      paid: { targets: [{ provider: 'mock', model: MODEL }], price: PRICE },
      slow: { targets: [{ provider: 'mock', model: SLOW }], price: PRICE },
      slower: { targets: [{ provider: 'mock', model: SLOWER }], price: PRICE },
    },
    // A machine under load answers late; this is about exactness, not about outages.
    redis: { command_ms: 1000 },
  },
});

type Shape = 'plain' | 'stream' | 'aborted';
const SHAPES: readonly Shape[] = ['plain', 'stream', 'aborted'];

/** One call to its end; its status, or 0 where the connection broke. */
async function call(
  url: string,
  secret: string,
  shape: Shape,
  text: string,
  model = 'paid',
): Promise<number> {
  const abort = new AbortController();
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      signal: abort.signal,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        stream: shape !== 'plain',
        max_tokens: OUTPUT_TOKENS,
        messages: [{ role: 'user', content: text }],
      }),
    });
    if (shape === 'aborted') {
      await answer.body?.getReader().read();
      abort.abort();
    } else await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

function callMany(secret: string, from: number, count: number, model = 'paid'): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) =>
      call(fleet.url(i), secret, SHAPES[i % SHAPES.length] ?? 'plain', `call ${from + i}`, model),
    ),
  );
}

/** How many of each status. */
function told(statuses: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status}: ${count}`).join(', ');
}

interface Spent {
  readonly spent: number;
  readonly reserved: number;
}

async function counterOf(keyId: string, url: string): Promise<Spent | null> {
  const { body } = await fleet.api('GET', '/api/v1/budgets?limit=200', undefined, url);
  const row = body.data.find((each: { key_id: string }) => each.key_id === keyId);
  if (row === undefined || row.spent_nanousd === null) return null;
  return { spent: row.spent_nanousd, reserved: row.reserved_nanousd };
}

interface Row {
  readonly id: string;
  readonly status: number;
  readonly cost_nanousd: number;
}

async function rowsOf(keyId: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await fleet.api('GET', `/api/v1/requests?limit=200&key_id=${keyId}${query}`);
    rows.push(...body.data);
    cursor = body.next;
  } while (cursor !== null);
  return rows;
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { cost_nanousd }) => sum + cost_nanousd, 0);
}

/** Nothing is reserved, and every process tells the sum of the ledger. */
function settled(keyId: string, deadlineMs = 20_000): Promise<readonly Row[]> {
  return until(
    'counter and ledger agree, and nothing is reserved',
    async () => {
      const rows = await rowsOf(keyId);
      const counters = await Promise.all(fleet.members.map(({ url }) => counterOf(keyId, url)));
      const agree = counters.every(
        (counter) => counter !== null && counter.reserved === 0 && counter.spent === sumOf(rows),
      );
      return agree ? rows : null;
    },
    deadlineMs,
  );
}

test('a rate limit lets exactly its number through over three processes', async () => {
  const key = await fleet.key({ limits: { requests_per_minute: 60 } });

  const startedMs = performance.now();
  const statuses = await callMany(key.secret, 0, 240);
  const freed = Math.ceil((performance.now() - startedMs) / 1000);

  const through = statuses.filter((status) => status === 200).length;
  assert.ok(through >= 60 && through <= 60 + freed, `${through} passed, ${freed} freed meanwhile`);
  assert.equal(statuses.filter((status) => status === 429).length, 240 - through);
});

test('a concurrency limit holds over three processes', async () => {
  const key = await fleet.key({ limits: { concurrency: 7 } });

  const statuses = await Promise.all(
    Array.from({ length: 60 }, (_, i) => call(fleet.url(i), key.secret, 'plain', `at once ${i}`)),
  );

  const through = statuses.filter((status) => status === 200).length;
  assert.ok(through >= 7 && through < 60, `${through} passed`);
  await until('all places are back', async () => {
    const again = await callMany(key.secret, 0, 7);
    return again.every((status) => status === 200);
  });
});

test('500 mixed calls over three processes: a budget for 100 is not overrun', async (t) => {
  const key = await budgetedKey();

  const statuses = await callMany(key.secret, 0, CALLS);
  const rows = await settled(key.id);

  const through = statuses.filter((status) => status === 200).length;
  t.diagnostic(`${told(statuses)}; ${sumOf(rows)} of ${BUDGET} nano-dollars spent`);
  assert.ok(sumOf(rows) <= BUDGET, `${sumOf(rows)} of ${BUDGET}`);
  assert.ok(through >= 90, `${through} passed`);
  assert.ok(statuses.every((status) => status === 200 || status === 402));
});

async function budgetedKey() {
  return fleet.key({ budget: { limit_usd: (BUDGET / 1e9).toFixed(9), period: 'total' } });
}

/** Resolves when calls of the key hold at least so much. */
async function untilReserved(keyId: string, nanousd: number): Promise<void> {
  await until('calls are in flight', async () => {
    const counter = await counterOf(keyId, fleet.url(0));
    return counter !== null && counter.reserved >= nanousd;
  });
}

test('a process killed with calls in flight: what it held comes back', async (t) => {
  const key = await budgetedKey();
  await callMany(key.secret, 0, 30);
  const victim = fleet.members[1];
  assert.ok(victim);

  const load = callMany(key.secret, 100, 120, 'slow');
  await untilReserved(key.id, BUDGET / 2);
  await fleet.end(victim, 'SIGKILL');
  const statuses = await load;
  const rows = await settled(key.id, 60_000);
  await fleet.start();
  const after = await callMany(key.secret, 1000, CALLS);
  const all = await settled(key.id);

  const broken = statuses.filter((status) => status === 0).length;
  t.diagnostic(`${broken} calls died; ${told(statuses)}; then ${told(after)}`);
  t.diagnostic(`${sumOf(rows)}, then ${sumOf(all)} of ${BUDGET} nano-dollars`);
  assert.ok(broken > 0);
  assert.ok(sumOf(all) <= BUDGET, `${sumOf(all)} of ${BUDGET}`);
  assert.ok(sumOf(all) > BUDGET - CALL_MOST, 'the whole budget can be used');
});

test('Redis forgets everything with calls in flight: what they hold still counts', async (t) => {
  const key = await budgetedKey();

  const load = callMany(key.secret, 0, 150, 'slower');
  await untilReserved(key.id, BUDGET - CALL_MOST);
  await redis.cli('flushall');
  const during = await callMany(key.secret, 1000, 200);
  await untilReserved(key.id, BUDGET / 2); // counted again, before they have ended
  const more = await callMany(key.secret, 2000, 200);
  const statuses = await load;
  const rows = await settled(key.id, 60_000);
  const after = await callMany(key.secret, 3000, 100);
  const all = await settled(key.id);

  t.diagnostic(`${told(statuses)}; at once ${told(during)}; later ${told(more)}, ${told(after)}`);
  t.diagnostic(`${sumOf(rows)}, then ${sumOf(all)} of ${BUDGET} nano-dollars`);
  assert.ok(sumOf(all) <= BUDGET, `${sumOf(all)} of ${BUDGET}`);
  const others = new Set([...during, ...more, ...after, ...statuses]);
  assert.ok(
    [...others].every((status) => [200, 402, 503].includes(status)),
    [...others].join(),
  );
});

test('a limit and a budget together cost a request two commands that it waits for', async () => {
  const key = await fleet.key({
    budget: { limit_usd: '1', period: 'total' },
    limits: { requests_per_minute: 1000, tokens_per_minute: 1_000_000, concurrency: 100 },
  });
  const url = fleet.url(0);
  await call(url, key.secret, 'plain', 'the first loads the counter');
  const counts = async (): Promise<Map<string, number>> => {
    const answer = await fetch(`${url}/metrics`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const lines = (await answer.text()).matchAll(
      /^redis_operations_total\{[^}]*operation="([^"]+)"[^}]*\} (\d+)/gm,
    );
    return new Map([...lines].map(([, operation = '', count]) => [operation, Number(count)]));
  };
  const before = await counts();

  for (let i = 0; i < 20; i += 1) {
    assert.equal(await call(url, key.secret, SHAPES[i % 2] ?? 'plain', `count ${i}`), 200);
  }

  const after = await counts();
  const grown = (operation: string) => (after.get(operation) ?? 0) - (before.get(operation) ?? 0);
  assert.equal(grown('limits.take'), 20);
  assert.equal(grown('budgets.reserve'), 20);
  const inBackground = [grown('budgets.settle'), grown('limits.amend')];
  assert.ok(
    inBackground.every((count) => count <= 21), // the first call may have ended meanwhile
    inBackground.join(),
  );
});

test('without Redis a limit is shared out, budgets are refused, the rest goes on', async (t) => {
  const free = await fleet.key();
  const limited = await fleet.key({ limits: { requests_per_minute: 60 } });
  const budgeted = await budgetedKey();
  redis.freeze();
  try {
    const statuses = await callMany(limited.secret, 0, 240);
    const { degraded, status } = await once(free.secret);
    const refused = await call(fleet.url(0), budgeted.secret, 'plain', 'without Redis');

    const through = statuses.filter((one) => one === 200).length;
    t.diagnostic(`${told(statuses)}; degraded: ${degraded}`);
    assert.ok(through >= 57 && through <= 63, `${through} passed`);
    assert.equal(status, 200);
    assert.match(degraded, /redis-state/);
    assert.equal(refused, 503);
  } finally {
    redis.thaw();
  }
  await until('budgets are back', async () => {
    return (await call(fleet.url(0), budgeted.secret, 'plain', 'with Redis')) === 200;
  });
});

/** A plain call and what it says of the state of the service. */
async function once(secret: string): Promise<{ status: number; degraded: string }> {
  const answer = await fetch(`${fleet.url(0)}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'paid', messages: [{ role: 'user', content: 'estado' }] }),
  });
  await answer.arrayBuffer();
  return { status: answer.status, degraded: answer.headers.get('x-esclusa-degraded') ?? '' };
}
