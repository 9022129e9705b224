/**
 * The pool of connections on a real PostgreSQL: its figures add up, it never opens more than it
 * may, old and broken connections are replaced, and who keeps one for long is named.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../../src/kernel/clock.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { Availability } from '../../../src/storage/engines/postgres/availability.ts';
import { overBudget } from '../../../src/storage/engines/postgres/budget.ts';
import { clientConfig, connect } from '../../../src/storage/engines/postgres/client.ts';
import { HOT } from '../../../src/storage/engines/postgres/options.ts';
import {
  ConnectionPool,
  type Lease,
  type PoolSettings,
} from '../../../src/storage/engines/postgres/pool.ts';
import { beginning } from '../../../src/storage/engines/postgres/scope.ts';
import { poolStatistics } from '../../../src/storage/pool-statistics.ts';
import { afterwards } from '../../support/afterwards.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { postgresForFile } from '../../support/postgres-storage.ts';
import { rememberingLog } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

const postgres = await postgresForFile();
const { server } = postgres;

const SETTINGS: PoolSettings = {
  size: 2,
  maxOverflow: 1,
  timeoutMs: 200,
  recycleMs: 3_600_000,
  prePing: true,
  isPooling: true,
};

interface Opened {
  readonly pool: ConnectionPool;
  readonly availability: Availability;
  readonly log: ReturnType<typeof rememberingLog>;
}

async function openPool(
  t: TestContext,
  settings: Partial<PoolSettings> = {},
  clock: Clock = systemClock,
): Promise<Opened> {
  const { runtime } = await postgres.database();
  const log = rememberingLog();
  const availability = new Availability();
  const pool = new ConnectionPool({
    ...{ ...SETTINGS, ...settings },
    ...{ name: 'hot', heldLongMs: 15_000, clock, log, availability },
    client: clientConfig(runtime, 'test', HOT),
  });
  afterwards(t, () => pool.close(1000));
  return { pool, availability, log };
}

test('a server that speaks no TLS where it is asked for is a database out of reach', async (t) => {
  const { runtime } = await postgres.database();
  const pool = new ConnectionPool({
    ...{ ...SETTINGS, name: 'hot', heldLongMs: 15_000 },
    ...{ clock: systemClock, log: rememberingLog(), availability: new Availability() },
    client: clientConfig(`${runtime}?sslmode=no-verify`, 'test', HOT),
  });
  afterwards(t, () => pool.close(1000));

  await assert.rejects(pool.lease(), { code: 'storage_unavailable' });
});

async function backendOf({ client }: Lease): Promise<number> {
  const { rows } = await client.query('select pg_backend_pid() as pid');
  return rows[0].pid;
}

test('figures add up on a fresh pool, a busy one and one in overflow', () => {
  const base = { size: 20, maxOverflow: 10, timeoutMs: 30_000, waiting: 0 };

  const fresh = poolStatistics({ ...base, open: 0, idle: 0 });
  const busy = poolStatistics({ ...base, open: 25, idle: 0 });
  const full = poolStatistics({ ...base, open: 30, idle: 0, waiting: 7 });

  assert.deepEqual([fresh.totalAvailable, fresh.overflow, fresh.utilization], [30, 0, 0]);
  assert.deepEqual([busy.checkedOut, busy.totalAvailable, busy.overflow], [25, 5, 5]);
  assert.deepEqual([busy.utilization, full.utilization], [83.33, 100]);
  assert.deepEqual([full.totalAvailable, full.waiting, full.timeoutSeconds], [0, 7, 30]);
});

test('the budget of connections counts every process, and says which size would fit', () => {
  const demand = { processes: 8, poolSize: 20, maxOverflow: 40, besides: 7 };
  const supply = { maxConnections: 200, reserved: 3 };

  const excess = overBudget(demand, supply);
  const fits = overBudget({ ...demand, processes: 2 }, supply);
  const exact = overBudget(
    { ...demand, processes: 1, poolSize: 10 },
    { maxConnections: 75, reserved: 3 },
  );
  const short = overBudget(
    { ...demand, processes: 1, poolSize: 11 },
    { maxConnections: 75, reserved: 3 },
  );

  assert.match(excess ?? '', /allows 157 connections .* = 536 may be opened/);
  assert.match(excess ?? '', /Lower DB_POOL_SIZE \+ DB_MAX_OVERFLOW to 12 or less/);
  assert.deepEqual([fits, exact], [null, null]);
  assert.notEqual(short, null);
});

test('databases of tenants on the same server are part of the budget', () => {
  const demand = { processes: 2, poolSize: 20, maxOverflow: 10, besides: 7, others: 3 * 6 };
  const supply = { maxConnections: 100, reserved: 3 };
  const tenant = { processes: 16, poolSize: 3, maxOverflow: 2, besides: 2 };
  const names = ['DB_TENANT_POOL_SIZE', 'DB_TENANT_MAX_OVERFLOW'] as const;

  const excess = overBudget(demand, supply);
  const tenants = overBudget({ ...tenant, names }, supply);

  assert.match(excess ?? '', /7 of each process \+ 18 to other databases of ours there\) = 110/);
  assert.match(excess ?? '', /DB_POOL_SIZE \+ DB_MAX_OVERFLOW to 13 or less/);
  assert.match(tenants ?? '', /16 × \(DB_TENANT_POOL_SIZE 3/);
  assert.equal(overBudget({ ...tenant, processes: 11, names }, supply), null);
});

test('a connection that is lent is told at `debug`, and how it came to be', async (t) => {
  const { pool, log } = await openPool(t);

  const lease = await pool.lease();
  lease.release();

  const told = log.lines.filter(({ level }) => level === 'debug').map(({ message }) => message);
  assert.deepEqual(told.slice(0, 2).sort(), [
    'a database connection is lent',
    'a database connection was opened',
  ]);
});

test('limits that a session was not told hold in each transaction, and end with it', async (t) => {
  const { runtime } = await postgres.database();
  const client = await connect(clientConfig(runtime, 'test', HOT, true));
  afterwards(t, () => client.end());
  const shown = async () => {
    const { rows } = await client.query(
      "select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l",
    );
    return [rows[0].s, rows[0].l];
  };

  const outside = await shown();
  await client.query(beginning('acme', 'read only', HOT));
  const inside = await shown();
  await client.query('commit');

  assert.deepEqual(outside, ['0', '0']);
  assert.deepEqual(inside, ['4s', '3s']);
  assert.deepEqual(await shown(), outside);
});

test('the connection that came back last goes out first', async (t) => {
  const { pool } = await openPool(t);
  const [first, second] = [await pool.lease(), await pool.lease()];
  const pids = [await backendOf(first), await backendOf(second)];
  second.release();
  first.release();

  const next = await pool.lease();
  const pid = await backendOf(next);
  next.release();

  assert.equal(pid, pids[0]);
});

test('beyond size and overflow callers wait, and are told when to come back', async (t) => {
  const { pool } = await openPool(t);
  const held = [await pool.lease(), await pool.lease(), await pool.lease()];

  const full = pool.statistics();
  await assert.rejects(pool.lease(), (error: Error) => {
    assert.match(error.message, /^All 3 connections to the database were busy for 0\.2 s\./);
    assert.equal((error as Error & { retryAfterMs: number }).retryAfterMs, 1000);
    return true;
  });
  const open = await server.query<{ n: number }>(
    'postgres',
    "select count(*)::int as n from pg_stat_activity where application_name = 'esclusa test'",
  );
  for (const lease of held) lease.release();
  await until('the overflow to be closed', () => pool.statistics().idle === 2);

  assert.deepEqual([full.checkedOut, full.overflow, full.totalAvailable], [3, 1, 0]);
  assert.equal(open[0]?.n, 3);
  assert.deepEqual([pool.statistics().checkedOut, pool.statistics().totalAvailable], [0, 3]);
});

test('a connection that rested and was ended meanwhile is not handed out', async (t) => {
  const clock = createManualClock();
  const { pool } = await openPool(t, {}, clock);
  const leases = [await pool.lease(), await pool.lease()];
  const pids = await Promise.all(leases.map(backendOf));
  for (const lease of leases) lease.release();
  server.terminateUnnoticed(pids); // nothing of ours runs meanwhile
  clock.advance(5001);

  const lease = await pool.lease();
  const { rows } = await lease.client.query('select 1 as one');
  lease.release();

  assert.equal(rows[0].one, 1);
});

test('a connection that ends while it is held fails the next statement and no more', async (t) => {
  const { pool } = await openPool(t);
  const lease = await pool.lease();
  const ended = new Promise((resolve) => lease.client.once('end', resolve));

  await server.terminateBackends();
  await ended; // told to the holder between two statements

  await assert.rejects(lease.client.query('select 1'));
  lease.release(new Error('Connection terminated'));
  const next = await pool.lease();
  assert.equal(typeof (await backendOf(next)), 'number');
  next.release();
});

test('a connection is replaced at its age', async (t) => {
  const { pool } = await openPool(t, { recycleMs: 1000 });
  const young = await pool.lease();
  const pid = await backendOf(young);
  young.release();

  await until('the old connection to be gone', () => pool.statistics().idle === 0);
  const next = await pool.lease();
  const other = await backendOf(next);
  next.release();

  assert.notEqual(other, pid);
});

test('with pooling off each use has a connection of its own, within the same bounds', async (t) => {
  const { pool } = await openPool(t, { isPooling: false });
  const first = await pool.lease();
  const firstPid = await backendOf(first);
  first.release();
  const held = [await pool.lease(), await pool.lease(), await pool.lease()];
  const pids = await Promise.all(held.map(backendOf));

  await assert.rejects(pool.lease(), { code: 'storage_unavailable' });
  for (const lease of held) lease.release();

  assert(!pids.includes(firstPid));
});

test('an outage refuses who waits and who comes, and costs no connection', async (t) => {
  const { pool, availability } = await openPool(t, { timeoutMs: 60_000 });
  const held = [await pool.lease(), await pool.lease(), await pool.lease()];
  const waiting = pool.lease();
  const refused = assert.rejects(waiting, { code: 'storage_unavailable' });

  availability.markDown(new Error('silence'));
  await refused;
  await assert.rejects(pool.lease(), { code: 'storage_unavailable' });
  availability.markUp();
  for (const lease of held) lease.release();
  await until('everything to be back', () => pool.statistics().checkedOut === 0);
  const lease = await pool.lease();
  lease.release();

  assert.equal(pool.statistics().totalAvailable, 3);
});

test('who keeps a connection for long is named in the log, once', async (t) => {
  const clock = createManualClock();
  const { pool, log } = await openPool(t, {}, clock);
  async function forgetful(): Promise<Lease> {
    return await pool.lease();
  }

  const kept = await forgetful();
  const quick = await pool.lease();
  quick.release();
  clock.advance(15_000);
  kept.release();
  clock.advance(15_000);

  const warnings = log.lines.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]?.fields.holder), /forgetful/);
});
