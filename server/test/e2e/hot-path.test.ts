/**
 * What a call to a model costs in questions to others: authenticated, limited, budgeted, booked
 * and not from the cache, it asks no database, waits for two commands of Redis at most, and
 * costs no more than two in all, one after the other or many at once.
 * Method: the whole program over SQLite alone, and over PostgreSQL with Redis, as the benchmark
 * `engines` has it; the program's own meters of statements and of what is waited for; Redis'
 * own account of the commands it was sent; and calls while every database is out of reach.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { monitorRedis } from '../support/redis-monitor.ts';
import { startRedis } from '../support/redis-server.ts';

const CALLS = 300;
const AT_ONCE = 10;
/** What is done now and then whether anybody calls or not; a query for each call were 300. */
const BACKGROUND_MAX = CALLS / 4;
/** Written behind the journal by a thread of its own, many rows at once. */
const LEDGER_TABLES = /^(requests|names|journal_positions)$/;
/** Commands that a request waits for; the others are sent behind it. */
const WAITED_FOR =
  /^(limits\.take|budgets\.reserve|replay\.claim|cache_get|cache_generation|flight_enter)$/;
const PRICE = { input_usd_per_million: 1, output_usd_per_million: 1 };
const CONFIG = {
  models: { fast: { targets: [{ provider: 'mock', model: 'mock:tokens=5' }], price: PRICE } },
  // A machine under load answers late; this is about counting, not about outages.
  redis: { command_ms: 1000 },
};

const postgres = await postgresForFile();

/** The sum of a counter over the series whose label `by` is as wanted. */
async function total(
  { api }: TestGateway,
  name: string,
  by: string,
  isWanted: (value: string) => boolean,
): Promise<number> {
  const { body } = await api('GET', '/metrics');
  let sum = 0;
  for (const line of (body as string).split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    const value = new RegExp(`[{,]${by}="([^"]*)"`).exec(line)?.[1] ?? '';
    if (isWanted(value)) sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}

const queries = (gateway: TestGateway) =>
  total(gateway, 'db_queries_total', 'table', (table) => !LEDGER_TABLES.test(table));
const commands = (gateway: TestGateway) =>
  total(gateway, 'redis_operations_total', 'operation', (name) => WAITED_FOR.test(name));

/** A key with limits and a budget in a tenant that has them, too. */
async function limitedKey({ api, key }: TestGateway): Promise<string> {
  const limits = { requests_per_minute: 1_000_000, tokens_per_minute: 900_000_000 };
  const budget = { limit_usd: '1000', period: 'month' } as const;
  const tenant = { slug: 'acme', name: 'Acme', limits, budget };
  assert.equal((await api('POST', '/api/v1/tenants', tenant)).status, 201);
  return (await key({ tenant: 'acme', limits, budget })).secret;
}

async function callMany(
  gateway: TestGateway,
  secret: string,
  count: number,
  atOnce = AT_ONCE,
): Promise<void> {
  let turn = 0;
  const one = async () => {
    while (turn < count) {
      turn += 1;
      const messages = [{ role: 'user', content: `Hola ${turn} ${Math.random()}` }];
      const answer = await gateway.chat({ model: 'fast', max_tokens: 5, messages }, secret);
      assert.equal(answer.status, 200, await answer.text());
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
}

async function assertNoQueries(gateway: TestGateway, secret: string): Promise<void> {
  await callMany(gateway, secret, AT_ONCE); // counters are built from the ledger once
  const before = await queries(gateway);
  await callMany(gateway, secret, CALLS);
  const asked = (await queries(gateway)) - before;
  assert.ok(asked < BACKGROUND_MAX, `${asked} queries for ${CALLS} calls`);
}

test('on SQLite no call asks the database, and none minds that it is gone', async (t) => {
  let isGone = false;
  const hit = (point: string) => {
    if (isGone && /^storage\.(reader|writer)\.call$/.test(point)) throw new Error('gone');
  };
  const gateway = await startGateway({ config: CONFIG, faults: { hit } });
  t.after(() => gateway.server.close('now'));
  const secret = await limitedKey(gateway);
  await assertNoQueries(gateway, secret);

  isGone = true;
  await callMany(gateway, secret, 30);
  isGone = false;
});

test('on PostgreSQL with Redis, too: two commands at most are waited for', async (t) => {
  const redis = await startRedis(t);
  const env = { REDIS_URL: redis.url };
  const gateway = await startOnPostgres(t, await postgres.database(), { config: CONFIG, env });
  const secret = await limitedKey(gateway);
  await assertNoQueries(gateway, secret);

  const before = await commands(gateway);
  await callMany(gateway, secret, CALLS);
  const waits = (await commands(gateway)) - before;

  assert.ok(waits > 0 && waits <= 2 * CALLS, `${waits} commands for ${CALLS} calls`);
});

test('as the benchmark has it, no call costs more than two commands in all', async (t) => {
  const redis = await startRedis(t);
  const config = { ...CONFIG, cache: { enabled: false } };
  const env = { REDIS_URL: redis.url };
  const gateway = await startOnPostgres(t, await postgres.database(), { config, env });
  const limits = {
    ...{ requests_per_minute: 1e9, tokens_per_minute: 1e9 },
    concurrency: 100_000,
  };
  const budget = { limit_usd: '999999', period: 'month' } as const;
  const { secret } = await gateway.key({ limits, budget });
  await assertNoQueries(gateway, secret);
  const monitor = await monitorRedis(redis);
  t.after(() => monitor.close());

  for (const atOnce of [1, AT_ONCE]) {
    const before = (await monitor.commands()).length;
    await callMany(gateway, secret, CALLS, atOnce);
    const sent = (await monitor.commands()).slice(before);
    const scripts = sent.filter((name) => name === 'evalsha').length;
    t.diagnostic(`${scripts} scripts for ${CALLS} calls, ${atOnce} at once`);
    assert.ok(scripts > 0 && (atOnce === 1 || scripts < CALLS), `${scripts} scripts`);
    assert.ok(sent.length < 2 * CALLS + BACKGROUND_MAX, `${sent.length} commands`);
  }
});
