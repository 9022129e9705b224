/**
 * The SQLite engine by itself: whose turn it is to write, what a dead or silent worker does to
 * its callers, what several processes on one file see of each other, and how the tables come
 * to be.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../src/kernel/clock.ts';
import type { FaultPoints } from '../../../src/kernel/fault.ts';
import { noFaults } from '../../../src/kernel/fault.ts';
import { SqliteEngine } from '../../../src/storage/engines/sqlite/engine.ts';
import { openStorageTool } from '../../../src/storage/index.ts';
import { MIGRATION_NAMES } from '../../../src/storage/migrations/index.ts';
import { createQueryWatch } from '../../../src/storage/query-watch.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import {
  databasePath,
  ledgerEntry,
  openAt,
  openTestStorage,
  rememberingLog,
} from '../../support/storage.ts';
import { startStorageProcess } from '../../support/storage-process.ts';
import { tenantRecord } from '../../support/tenant-record.ts';
import { until } from '../../support/until.ts';

/** What a version after this one would do: add a table and a column that has a default. */
const LATER_MIGRATION = `
  create table later_things (id text primary key);
  alter table tenants add column later_colour text not null default 'blue';
  insert into kysely_migration values ('9999-later', '2030-01-01T00:00:00.000Z');`;

interface Variations {
  readonly dataDir?: string;
  readonly clock?: Clock;
  readonly faults?: FaultPoints;
  readonly busyTimeoutMs?: number;
}

async function openEngine(t: TestContext, variations: Variations = {}): Promise<SqliteEngine> {
  const dataDir = variations.dataDir ?? temporaryFolder(t);
  const engine = new SqliteEngine({
    path: databasePath(dataDir),
    durable: false,
    journalRoot: join(dataDir, 'journal'),
    owned: null,
    clock: variations.clock ?? systemClock,
    log: rememberingLog(),
    faults: variations.faults ?? noFaults,
    busyTimeoutMs: variations.busyTimeoutMs ?? 2000,
    pollMs: 50,
    databaseMaxBytes: 0,
    onReport: () => undefined,
    onWriterRestart: () => undefined,
    queries: createQueryWatch({ done: () => undefined, failed: () => undefined }),
  });
  afterwards(t, () => engine.close());
  await engine.open();
  return engine;
}

/** What a row has where nothing is said. */
const COLUMNS = { budget_soft: 0, models: '{}' };

function tenantRow(slug: string) {
  return { id: `ten_${slug}`, slug, name: slug, created_at_ms: 0, version: 1, ...COLUMNS };
}

async function slugsOf(engine: SqliteEngine): Promise<string[]> {
  const rows = await engine.read<{ slug: string }>(
    null,
    'select slug from tenants order by slug',
    [],
  );
  return rows.map(({ slug }) => slug);
}

test('a transaction that throws leaves nothing, and the next one works', async (t) => {
  const engine = await openEngine(t);
  const writer = await engine.writer();

  const broken = writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('half')).execute();
    throw new Error('changed my mind');
  });
  await assert.rejects(broken, /changed my mind/);
  await writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('whole')).execute();
  });

  assert.deepEqual(await slugsOf(engine), ['default', 'whole']);
});

test('writers take turns: no statement slips into another caller’s transaction', async (t) => {
  const engine = await openEngine(t);
  const writer = await engine.writer();
  const inside = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();

  const first = writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('first')).execute();
    inside.resolve();
    await goOn.promise;
    throw new Error('rolled back');
  });
  await inside.promise;
  const second = writer.insertInto('tenants').values(tenantRow('second')).execute();
  goOn.resolve();
  await assert.rejects(first, /rolled back/);
  await second;

  assert.deepEqual(await slugsOf(engine), ['default', 'second']);
});

test('the root writer inside a transaction is refused in time instead of hanging', async (t) => {
  const engine = await openEngine(t, { busyTimeoutMs: 100 });
  const writer = await engine.writer();

  const deadlock = writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('inner')).execute();
    await writer.insertInto('tenants').values(tenantRow('outer')).execute();
  });

  await assert.rejects(deadlock, { code: 'storage_unavailable' });
  assert.deepEqual(await slugsOf(engine), ['default']);
});

test('a transaction that lasts too long is ended, and its holder is told', async (t) => {
  const clock = createManualClock();
  const engine = await openEngine(t, { clock });
  const writer = await engine.writer();

  const slow = writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('slow')).execute();
    clock.advance(10_000);
    await writer.insertInto('tenants').values(tenantRow('other')).execute();
    await transaction.insertInto('tenants').values(tenantRow('late')).execute();
  });

  await assert.rejects(slow, { code: 'storage_unavailable' });
  assert.deepEqual(await slugsOf(engine), ['default', 'other']);
});

test('a transaction does not go on in the worker that follows the one that died', async (t) => {
  let isArmed = false;
  const hit = (point: string): void => {
    if (!isArmed || point !== 'storage.writer.worker') return;
    isArmed = false;
    throw new Error('injected');
  };
  const engine = await openEngine(t, { faults: { hit } });
  const writer = await engine.writer();

  const cut = writer.transaction().execute(async (transaction) => {
    await transaction.insertInto('tenants').values(tenantRow('before')).execute();
    isArmed = true;
    const dying = transaction.insertInto('tenants').values(tenantRow('dying')).execute();
    await dying.catch(() => undefined);
    await until('a new worker', () =>
      engine.recover().then(
        () => true,
        () => false,
      ),
    );
    await transaction.insertInto('tenants').values(tenantRow('after')).execute();
  });

  await assert.rejects(cut, { code: 'storage_unavailable' });
  await writer.insertInto('tenants').values(tenantRow('fresh')).execute();
  assert.deepEqual(await slugsOf(engine), ['default', 'fresh']);
});

test('a worker that does not answer costs its caller the time limit, no more', async (t) => {
  const clock = createManualClock();
  const dataDir = temporaryFolder(t);
  const engine = await openEngine(t, { dataDir, clock, busyTimeoutMs: 500 });
  const writer = await engine.writer();
  const locker = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => locker.close());
  locker.exec('begin exclusive');

  const waiting = writer.insertInto('tenants').values(tenantRow('late')).execute();
  const refused = assert.rejects(waiting, { code: 'storage_unavailable' });
  await until('the call is under way', () => clock.pendingTimers() > 0);
  clock.advance(1500);
  await refused;
  const slugs = await slugsOf(engine);
  locker.exec('rollback');

  assert.deepEqual(slugs, ['default']);
});

test('calls beyond the bound are refused at once, those within it are answered', async (t) => {
  const engine = await openEngine(t);
  await slugsOf(engine); // the reader's own start is over

  const calls = Array.from({ length: 300 }, () => engine.read(null, 'select 1 as one', []));
  const results = await Promise.allSettled(calls);

  const refused = results.filter(({ status }) => status === 'rejected');
  assert.equal(results.length - refused.length, 256);
  for (const each of refused) {
    assert.equal((each as PromiseRejectedResult).reason.code, 'storage_unavailable');
  }
});

test('the reader cannot write', async (t) => {
  const engine = await openEngine(t);
  const reader = await engine.reader(null);

  await assert.rejects(reader.insertInto('tenants').values(tenantRow('sly')).execute());
  await assert.rejects(reader.transaction().execute(async () => undefined));

  assert.deepEqual(await slugsOf(engine), ['default']);
});

test('a key added by another process is noticed within two seconds', async (t) => {
  const dataDir = temporaryFolder(t);
  const storage = await openTestStorage(t, { dataDir });
  let notices = 0;
  const stop = storage.changes(() => {
    notices += 1;
  });

  const { code, errors } = await startStorageProcess('key', dataDir).ended();
  await until('the notice', () => notices > 0, 2000);
  const { keys } = await storage.keys.changedSince(0);
  stop();

  assert.deepEqual([code, errors], [0, '']);
  assert.deepEqual(
    keys.map(({ name }) => name),
    ['From a child'],
  );
});

test('the ledger’s own commits are no change of keys or tenants', async (t) => {
  const storage = await openTestStorage(t, { limits: { pollMs: 20 } });
  let notices = 0;
  storage.changes(() => {
    notices += 1;
  });

  const entry = ledgerEntry();
  await storage.ledger.append(entry);
  assert.equal((await storage.ledgerQueries.get(entry.id, null))?.id, entry.id);
  await storage.tenants.insert(tenantRecord('acme'));
  await until('the notice of the tenant', () => notices > 0, 2000);

  assert.equal(notices, 1);
});

test('two processes that start at once on a new file make its tables once', async (t) => {
  const dataDir = temporaryFolder(t);

  const processes = [1, 2, 3].map(() => startStorageProcess('migrate', dataDir));
  const ends = await Promise.all(processes.map((each) => each.ended()));

  assert.deepEqual(
    ends,
    ends.map(() => ({ code: 0, errors: '' })),
  );
  const database = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => database.close());
  const applied = database.prepare('select name from kysely_migration order by name').all();
  assert.deepEqual(
    applied.map(({ name }) => name),
    MIGRATION_NAMES,
  );
  assert.equal(database.prepare('select count(*) as n from tenants').get()?.n, 1);
});

test('a database that a newer version added to is worked on, and a warning says so', async (t) => {
  const dataDir = temporaryFolder(t);
  await (await openAt({ dataDir })).close();
  const database = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => database.close());
  database.exec(LATER_MIGRATION);
  const log = rememberingLog();

  const storage = await openAt({ dataDir, log });
  afterwards(t, () => storage.close());
  await storage.tenants.insert(tenantRecord('acme'));

  assert.equal((await storage.tenants.get('acme'))?.slug, 'acme');
  assert.deepEqual(log.lines, [
    {
      level: 'warn',
      message: 'the database is of a newer version',
      fields: { later: ['9999-later'] },
    },
  ]);
});

test('a database of a later era is refused with a sentence, and left as it is', async (t) => {
  const dataDir = temporaryFolder(t);
  await (await openAt({ dataDir })).close();
  const database = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => database.close());
  database.exec(LATER_MIGRATION);
  database.exec("update installation set value = '2' where name = 'schema_era'");

  await assert.rejects(openAt({ dataDir }), {
    code: 'storage_unavailable',
    message: /newer version \(migration 9999-later\), and of era 2, not 1/,
  });
});

test('a newer database that lacks a migration of this program is refused', async (t) => {
  const dataDir = temporaryFolder(t);
  await (await openAt({ dataDir })).close();
  const database = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => database.close());
  database.exec(LATER_MIGRATION);
  database.exec("delete from kysely_migration where name = '0013-tenants'");

  await assert.rejects(openAt({ dataDir }), { message: /lacks some of this one’s/ });
});

test('pages and sums of the ledger run over an index, never over the whole table', async (t) => {
  const dataDir = temporaryFolder(t);
  await (await openAt({ dataDir })).close();
  const database = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => database.close());
  const planOf = (sql: string): string =>
    database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => detail)
      .join('; ');
  const page = 'order by created_at_ms desc, id desc limit 50';

  const plans = {
    tenant: planOf(`select * from requests where tenant_id = 1 and created_at_ms < 5 ${page}`),
    key: planOf(`select * from requests where key_id = 1 and created_at_ms < 5 ${page}`),
    all: planOf(`select * from requests where created_at_ms < 5 ${page}`),
    sum: planOf('select sum(cost_nanousd) from requests where key_id = 1 and created_at_ms >= 5'),
  };

  assert.match(plans.tenant, /^SEARCH requests USING INDEX requests_by_tenant/);
  assert.match(plans.key, /^SEARCH requests USING INDEX requests_by_key/);
  assert.match(plans.all, /^SEARCH requests USING INDEX requests_by_time/);
  assert.match(plans.sum, /^SEARCH requests USING COVERING INDEX requests_by_key/);
  assert.doesNotMatch(Object.values(plans).join(), /TEMP B-TREE|SCAN/);
});

test('a tool beside a server reads what the server applied, and takes nothing', async (t) => {
  const dataDir = temporaryFolder(t);
  const server = await openTestStorage(t, { dataDir });
  const [first, second] = [ledgerEntry(), ledgerEntry()];
  await server.ledger.append(first);
  await server.ledgerQueries.get(first.id, null);

  const tool = await openStorageTool({
    database: { kind: 'sqlite', file: databasePath(dataDir) },
    dataDir,
    clock: systemClock,
    log: rememberingLog(),
  });
  const seen = await tool.ledgerQueries.get(first.id, null);
  await tool.close();
  await server.ledger.append(second);

  assert.equal(seen?.id, first.id);
  assert.equal((await server.ledgerQueries.get(second.id, null))?.id, second.id);
});

test('prices are added once and never changed', async (t) => {
  const { prices } = await openTestStorage(t);
  const price = {
    ...{ id: 'price_1', provider: 'demo', model: 'demo-1', effectiveFromMs: 1000 },
    ...{ inputPicousd: 140_000, cachedInputPicousd: 14_000, outputPicousd: 280_000 },
  };

  await prices.savePrices([price]);
  await prices.savePrices([
    { ...price, outputPicousd: 1 },
    { ...price, id: 'price_2' },
  ]);
  await prices.savePrices(Array.from({ length: 250 }, (_, i) => ({ ...price, id: `many_${i}` })));

  assert.deepEqual(await prices.get('price_1'), price);
  assert.deepEqual(await prices.get('price_2'), { ...price, id: 'price_2' });
  assert.equal((await prices.get('many_249'))?.id, 'many_249');
  assert.equal(await prices.get('price_3'), null);
});
