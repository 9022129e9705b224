/**
 * What keeps a real PostgreSQL from taking the ledger, one trouble after the other: the rows wait
 * until it is mended, and none is put aside for a trouble that is not its own. A connection of
 * the superuser judges, not our own code.
 */
import assert from 'node:assert/strict';
import { chownSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clientConfig } from '../../../src/storage/engines/postgres/client.ts';
import { PostgresLedgerStore } from '../../../src/storage/engines/postgres/ledger-store.ts';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { bookingWith } from '../../support/booking.ts';
import { type Certificate, makeCertificate } from '../../support/certificate.ts';
import type { TestDatabase } from '../../support/postgres-server.ts';
import { postgresForFile } from '../../support/postgres-storage.ts';
import { ledgerEntry } from '../../support/storage.ts';
import { until } from '../../support/until.ts';

const postgres = await postgresForFile();
const { server } = postgres;

const LIMITS = { statementMs: 5000, lockMs: 100, silenceMs: 6000, connectMs: 5000 };
const ROWS = 30;
const COST = 1500;

interface Trouble {
  /** What the lag says: that the trouble is the one that was meant. */
  readonly says: RegExp;
  readonly query?: string;
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

/** Books rows under the trouble, mends it, and expects all of them and their sum. */
async function outlast(t: TestContext, at: TestDatabase, trouble: Trouble): Promise<void> {
  const url = at.writer + (trouble.query ?? '');
  const store = new PostgresLedgerStore(clientConfig(url, 'ledger', LIMITS));
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  await trouble.begin();

  await booking.append(Array.from({ length: ROWS }, () => ledgerEntry({ costNanousd: COST })));
  const said = await until('the lag', () => booking.lag());
  await trouble.end();
  await until('the lag to end', () => booking.lag() === null);
  await booking.applier.flush([], () => true);

  assert.match(said, trouble.says);
  assert.deepEqual(booking.aside(), []);
  assert.deepEqual(await bookedIn(at), { rows: ROWS, cost: ROWS * COST });
}

async function bookedIn({ name }: TestDatabase): Promise<{ rows: number; cost: number }> {
  const [found] = await server.query<{ rows: number; cost: number }>(
    name,
    'select count(*)::int as rows, coalesce(sum(cost_nanousd), 0)::int as cost from requests',
  );
  assert(found);
  return { ...found };
}

async function shown(setting: string): Promise<string> {
  const [row] = await server.query<Record<string, string>>('postgres', `show ${setting}`);
  return String(Object.values(row ?? {})[0]);
}

async function reload(): Promise<void> {
  const loadedAt = async () =>
    (await server.query('postgres', 'select pg_conf_load_time()::text as at'))[0]?.at;
  const before = await loadedAt();
  await server.query('postgres', 'select pg_reload_conf()');
  await until('the settings to be read', async () => (await loadedAt()) !== before);
}

/** How the writer may connect; all others as they like. */
async function admitWriter(rule: string): Promise<void> {
  const rules = `${rule}\nhost all all 127.0.0.1/32 trust\n`;
  writeFileSync(await shown('hba_file'), rules);
  await reload();
}

/** The server can speak TLS from now on, and does when `isOn`. */
async function certify(t: TestContext): Promise<Certificate> {
  const certificate = await makeCertificate(temporaryFolder(t));
  const data = await shown('data_directory');
  const { uid, gid } = statSync(data);
  const files = { 'server.crt': certificate.certFile, 'server.key': certificate.keyFile };
  for (const [name, from] of Object.entries(files)) {
    copyFileSync(from, join(data, name));
    chownSync(join(data, name), uid, gid);
  }
  return certificate;
}

async function setTls(state: 'on' | 'off'): Promise<void> {
  await server.query('postgres', `alter system set ssl = ${state}`);
  await reload();
}

test('rows outlast a server that speaks no TLS where it is asked for', async (t) => {
  await certify(t);
  await outlast(t, await postgres.database(), {
    says: /does not support SSL/,
    query: '?sslmode=no-verify',
    begin: () => setTls('off'),
    end: () => setTls('on'),
  });
});

test('rows outlast a server that asks for TLS where none is spoken', async (t) => {
  await outlast(t, await postgres.database(), {
    says: /no encryption/,
    begin: () => admitWriter('hostnossl all esclusa_writer 127.0.0.1/32 reject'),
    end: () => admitWriter(''),
  });
});

test('rows outlast a certificate that nobody known has signed', async (t) => {
  const { ca } = await certify(t);
  const { caFile } = await makeCertificate(temporaryFolder(t));
  await outlast(t, await postgres.database(), {
    says: /certificate|signature/,
    query: `?sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`,
    begin: () => setTls('on'),
    end: async () => writeFileSync(caFile, ca),
  });
});

test('rows outlast a password that is wrong', async (t) => {
  const at = await postgres.database();
  const right = decodeURIComponent(new URL(at.writer).password);
  const change = (password: string) =>
    server.query('postgres', `alter role esclusa_writer password '${password}'`);
  await outlast(t, at, {
    says: /password authentication failed/,
    async begin() {
      await change('another');
      await admitWriter('host all esclusa_writer 127.0.0.1/32 scram-sha-256');
    },
    end: () => change(right),
  });
  await admitWriter('');
});

test('rows outlast a database that is not there', async (t) => {
  const at = await postgres.database();
  const rename = (from: string, to: string) =>
    server.query('postgres', `alter database ${from} rename to ${to}`);
  await outlast(t, at, {
    says: /does not exist/,
    begin: () => rename(at.name, 'elsewhere'),
    end: () => rename('elsewhere', at.name),
  });
});

test('rows outlast a server without a connection to spare', async (t) => {
  const allow = (count: number) =>
    server.query('postgres', `alter role esclusa_writer connection limit ${count}`);
  await outlast(t, await postgres.database(), {
    says: /too many connections/,
    begin: () => allow(0),
    end: () => allow(-1),
  });
});

test('rows outlast a table that somebody has locked', async (t) => {
  const at = await postgres.database();
  const locker = await server.connect(at.name);
  afterwards(t, () => locker.end());
  await outlast(t, at, {
    says: /lock timeout/,
    begin: () => locker.query('begin; lock table requests in access exclusive mode'),
    end: () => locker.query('rollback'),
  });
});

/** Troubles of a schema, as statements of a superuser. */
const OF_THE_SCHEMA: readonly (readonly [what: string, begin: string, end: string, RegExp])[] = [
  [
    'a table that is not there yet',
    'alter table requests rename to later',
    'alter table later rename to requests',
    /relation "requests" does not exist/,
  ],
  [
    'a column that is not there yet',
    'alter table requests rename column arm_id to later',
    'alter table requests rename column later to arm_id',
    /column "arm_id" of relation "requests" does not exist/,
  ],
  [
    'a column that this program knows nothing of and that wants a value',
    'alter table requests add column later integer not null',
    'alter table requests alter column later set default 0',
    /null value in column "later"/,
  ],
  [
    'a table whose default partition was taken off',
    'alter table requests detach partition requests_default',
    'alter table requests attach partition requests_default default',
    /no partition of relation/,
  ],
  [
    'a right that is missing',
    'revoke insert on requests from esclusa_writer',
    'grant insert on requests to esclusa_writer',
    /permission denied/,
  ],
  [
    'policies that hide the tables from the writer',
    'create policy nobody on requests as restrictive for insert to esclusa_writer ' +
      'with check (false)',
    'drop policy nobody on requests',
    /row-level security/,
  ],
  [
    'a database that only lets itself be read',
    'alter role esclusa_writer set default_transaction_read_only = on',
    'alter role esclusa_writer reset default_transaction_read_only',
    /read-only transaction/,
  ],
];

for (const [what, begin, end, says] of OF_THE_SCHEMA) {
  test(`rows outlast ${what}`, async (t) => {
    const at = await postgres.database();
    const run = (sql: string) => () => server.query(at.name, sql);
    await outlast(t, at, { says, begin: run(begin), end: run(end) });
  });
}

test('of many rows only those that no database could take are put aside', async (t) => {
  const at = await postgres.database();
  const store = new PostgresLedgerStore(clientConfig(at.writer, 'ledger', LIMITS));
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  const good = Array.from({ length: ROWS }, () => ledgerEntry({ costNanousd: COST }));
  const bad = [ledgerEntry({ status: 99_999 }), ledgerEntry({ attempts: 2 ** 40 })];

  await booking.append([...good.slice(0, 9), ...bad, ...good.slice(9)]);
  await booking.applier.flush([], () => true);

  assert.deepEqual(await bookedIn(at), { rows: ROWS, cost: ROWS * COST });
  assert.deepEqual(
    booking.aside().map((line) => JSON.parse(line).id),
    bad.map(({ id }) => id),
  );
});

test('a server that stands further back than it did is told again what it forgot', async (t) => {
  const at = await postgres.database();
  const store = new PostgresLedgerStore(clientConfig(at.writer, 'ledger', LIMITS));
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  const entries = (count: number) =>
    Array.from({ length: count }, () => ledgerEntry({ costNanousd: COST }));
  await booking.append(entries(10));
  await booking.applier.flush([], () => true);

  // As a standby that took over and had not heard of the last second.
  await server.query(at.name, 'truncate requests, names, journal_positions');
  await server.terminateBackends();
  await booking.append(entries(5));
  await booking.applier.flush([], () => true);

  assert.deepEqual(await bookedIn(at), { rows: 15, cost: 15 * COST });
  const nameless = await server.query(
    at.name,
    'select id from requests where tenant_id not in (select id from names)',
  );
  assert.deepEqual(nameless, []);
});

test('a dictionary whose numbers begin again sets no row aside', async (t) => {
  const at = await postgres.database();
  const store = new PostgresLedgerStore(clientConfig(at.writer, 'ledger', LIMITS));
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  await booking.append([ledgerEntry({ costNanousd: COST })]);
  await booking.applier.flush([], () => true);

  // As a server that took over by logical replication, which carries rows and no sequences.
  await server.query(at.name, 'alter table names alter column id restart with 1');
  const models = Array.from({ length: ROWS - 1 }, (_, at) => `model-${at}`);
  await booking.append(models.map((model) => ledgerEntry({ model, costNanousd: COST })));
  await booking.applier.flush([], () => true);

  assert.deepEqual(booking.aside(), []);
  assert.deepEqual(await bookedIn(at), { rows: ROWS, cost: ROWS * COST });
});

test('a question that the database cannot answer in time does not hold the rows up', async (t) => {
  const at = await postgres.database();
  const patient = { ...LIMITS, statementMs: 60_000, lockMs: 60_000, silenceMs: 70_000 };
  const store = new PostgresLedgerStore(clientConfig(at.writer, 'ledger', patient), 50);
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  const locker = await server.connect(at.name);
  afterwards(t, () => locker.end());
  await locker.query('begin; lock table usage_days in access exclusive mode');

  const patience = [true, true];
  const wanted = () => patience.pop() ?? false;
  const question = { scopeId: 'key:key_a', sinceMs: 0, endedSinceMs: 0 };
  const answer = booking.applier.spending(question, wanted);
  await booking.append([ledgerEntry({ costNanousd: COST })]);

  await assert.rejects(answer, /nobody waits/);
  await booking.applier.flush([], () => true);
  assert.deepEqual(await bookedIn(at), { rows: 1, cost: COST }); // under the lock
});

test('the journal of a dead owner that the disk refuses holds up no other', async (t) => {
  const at = await postgres.database();
  const store = new PostgresLedgerStore(clientConfig(at.writer, 'ledger', LIMITS));
  afterwards(t, () => store.close());
  const booking = bookingWith(t, store);
  mkdirSync(join(booking.root, 'journal_dead', '0000000001.log'), { recursive: true });

  const complete = booking.applier.recover(() => true);
  await booking.append([ledgerEntry({ costNanousd: COST })]);

  assert.equal(await complete, false);
  await booking.applier.flush([], () => true);
  assert.deepEqual(await bookedIn(at), { rows: 1, cost: COST });
  const failed = booking.reports.filter(({ kind }) => kind === 'recovery_failed');
  assert.match(JSON.stringify(failed), /EISDIR/);
});
