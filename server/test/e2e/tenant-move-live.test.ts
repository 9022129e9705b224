/**
 * A tenant's own data is moved to a database of its own and back while its callers, and
 * another's, go on asking. Method: two processes over PostgreSQL and Redis; what was answered is
 * compared with the ledger one by one, and what is kept with what was acknowledged.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Fleet, startFleet } from '../support/gateway-fleet.ts';
import { call } from '../support/people.ts';
import { installationOn } from '../support/postgres-gateway.ts';
import { PostgresServer, type TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { startRedis } from '../support/redis-server.ts';
import { startLoad } from '../support/steady-load.ts';
import { type AnsweredCall, type Callers, startCallers } from '../support/tenant-callers.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const NANOUSD_PER_USD = 1_000_000_000;
const CONFIG = {
  capture: { enabled: true },
  models: {
    slow: {
      targets: [{ provider: 'mock', model: 'mock:tps=60,tokens=60' }],
      price: { input_usd_per_million: 0.3, output_usd_per_million: 0.7 },
    },
    mock: {
      targets: [{ provider: 'mock', model: 'mock' }],
      price: { input_usd_per_million: 0.123, output_usd_per_million: 4.567 },
    },
  },
  /** How fast the machine is has no say in it. */
  redis: { command_ms: 1000, background_ms: 5000 },
};

interface World {
  readonly fleet: Fleet;
  readonly at: TestDatabase;
  readonly own: PostgresServer;
  readonly place: Readonly<Record<string, unknown>>;
}

async function setUp(t: TestContext): Promise<World> {
  const own = await PostgresServer.start();
  t.after(() => own.stop());
  const at = await postgres.database();
  const redis = await startRedis(t);
  const env = {
    ...installationOn(at),
    DB_TENANT_ALLOWED_RANGES: '127.0.0.0/8',
    DB_TENANT_ALLOWED_PORTS: String(own.port),
  };
  const fleet = await startFleet(t, { processes: 2, redis, config: CONFIG, env });
  const url = new URL((await own.createDatabase()).owner);
  const place = {
    ...{ kind: 'postgres', host: url.hostname, port: own.port, ssl: 'disable' },
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return { fleet, at, own, place };
}

async function move({ fleet }: World, to: unknown): Promise<void> {
  const begun = await fleet.api('POST', '/api/v1/tenants/acme/move', { to });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const job = async () => (await fleet.api('GET', '/api/v1/tenants/acme')).body.job;
  await until('the move to end', async () => (await job()).status !== 'running', 60_000);
  assert.deepEqual([(await job()).status, (await job()).error], ['done', null]);
}

interface Row {
  readonly id: string;
  readonly status: number;
  readonly cost_nanousd: number;
}

/** Every row of the ledger, however many pages that takes. */
async function ledgerOf({ fleet }: World): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let cursor = ''; ; ) {
    const query = `tenant=acme&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await fleet.api('GET', `/api/v1/requests?${query}`);
    rows.push(...body.data);
    if (body.next === null) return rows;
    cursor = encodeURIComponent(body.next);
  }
}

async function idsIn(server: PostgresServer, database: string, table: 'bodies' | 'responses') {
  const key = table === 'bodies' ? 'request_id' : 'id';
  const sql = `select ${key} as id from ${table} where tenant = 'acme' order by 1`;
  return (await server.query<{ id: string }>(database, sql)).map(({ id }) => id);
}

test('what is acknowledged while a tenant moves is there once, to the nano-dollar', async (t) => {
  const world = await setUp(t);
  const { fleet, at, own, place } = world;
  const urls = fleet.members.map(({ url }) => url);
  for (const slug of ['acme', 'globex']) {
    assert.equal((await fleet.api('POST', '/api/v1/tenants', { slug, name: slug })).status, 201);
  }
  const { secret } = await fleet.key({ tenant: 'acme' });
  const other = await fleet.key({ tenant: 'globex' });
  const callers = startCallers({ urls, key: secret, mark: 'moved' });
  const others = urls.map((url) => startLoad({ url, key: other.secret, perSecond: 10 }));
  t.after(() => Promise.all([callers, ...others].map((each) => each.stop())));
  await until('every kind of call was answered', () => callers.answered.size >= 6, 20_000);

  await move(world, place);
  const there = callers.calls.length;
  await until('calls at the new place', () => callers.calls.length > there + 50, 20_000);
  await move(world, { kind: 'shared' });
  const back = callers.calls.length;
  await until('calls back home', () => callers.calls.length > back + 50, 20_000);
  await callers.stop();
  const asked = (await Promise.all(others.map((load) => load.stop()))).flat();

  assert.deepEqual(
    asked.filter(({ failure }) => failure !== null),
    [],
  );
  assertRefusals(callers);
  await assertLedger(world, callers.calls);
  const { database } = place as { readonly database: string };
  await assertKept(world, secret, callers.calls);
  assert.deepEqual(await idsIn(own, database, 'responses'), []);
  assert.deepEqual(await idsIn(own, database, 'bodies'), []);
  assert.ok((await idsIn(postgres.server, at.name, 'bodies')).length > 0);
});

/** Only what would have to be kept may be refused, for a moment, and says so. */
function assertRefusals({ answered, broken }: Callers): void {
  const statuses = [...answered.keys()].filter((kind) => !kind.endsWith(' 200'));
  assert.deepEqual(
    statuses.filter((kind) => kind !== 'kept 503'),
    [],
  );
  for (const text of broken) assert.match(text, /^kept 503 .*"code":"tenant_moving"/);
}

async function assertLedger(world: World, calls: readonly AnsweredCall[]): Promise<void> {
  const rows = await until('every exchange in the ledger', async () => {
    const found = await ledgerOf(world);
    return found.length >= calls.length ? found : null;
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  assert.equal(byId.size, rows.length, 'no row is there twice');
  assert.deepEqual([...byId.keys()].sort(), calls.map(({ requestId }) => requestId).sort());
  let sum = 0;
  for (const { requestId, status, costUsd, kind } of calls) {
    const row = byId.get(requestId);
    assert.equal(row?.status, status, `${kind} ${requestId}`);
    sum += row?.cost_nanousd ?? 0;
    if (costUsd === null) continue;
    assert.equal(row?.cost_nanousd, Math.round(Number(costUsd) * NANOUSD_PER_USD), kind);
  }
  const usage = await world.fleet.api('GET', '/api/v1/usage?tenant=acme');
  const booked = (usage.body.data as readonly Row[]).reduce(
    (all, row) => all + row.cost_nanousd,
    0,
  );
  assert.equal(booked, sum);
  assert.ok(sum > 0);
}

async function assertKept(
  { fleet, at }: World,
  secret: string,
  calls: readonly AnsweredCall[],
): Promise<void> {
  const answered = calls.filter(({ status }) => status === 200);
  const responses = answered.flatMap(({ responseId }) => responseId ?? []).sort();
  assert.ok(responses.length > 10);
  assert.deepEqual(await idsIn(postgres.server, at.name, 'responses'), responses);
  for (const id of responses) {
    const answer = await call(fleet.url(0), 'GET', `/v1/responses/${id}`, { token: secret });
    assert.equal(answer.status, 200, id);
  }
  const bodies = new Set(await idsIn(postgres.server, at.name, 'bodies'));
  assert.deepEqual(
    answered.filter(({ requestId }) => !bodies.has(requestId)).map(({ kind }) => kind),
    [],
  );
}
