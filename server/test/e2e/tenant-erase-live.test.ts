/**
 * A tenant is erased while its callers, and another's, go on asking. Method: two processes over
 * PostgreSQL and Redis, and one over SQLite alone; texts that stand nowhere else are planted by
 * every kind of call, and looked for afterwards in tables, in Redis, in files, the journals
 * among them, and in what the processes hold in memory.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Fleet, startFleet } from '../support/gateway-fleet.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { heapHolds, heapWords, redisKeysWith, tablesWith } from '../support/leftovers.ts';
import { call, login, PASSWORD } from '../support/people.ts';
import { filesWith } from '../support/planted.ts';
import { installationOn } from '../support/postgres-gateway.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { startRedis } from '../support/redis-server.ts';
import { startLoad } from '../support/steady-load.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { startCallers } from '../support/tenant-callers.ts';
import { until } from '../support/until.ts';

const postgres = await postgresForFile();
const MARK = 'canario-9e2b';
const SLOW = {
  targets: [{ provider: 'mock', model: 'mock:tps=60,tokens=120' }],
  price: { input_usd_per_million: 1, output_usd_per_million: 2 },
};
/** Suspended, unknown, and unknown too often from one address. */
const REFUSED = [403, 401, 429];
/** How fast the machine is has no say in it. */
const REDIS = { command_ms: 1000, background_ms: 5000 };
const CONFIG = { capture: { enabled: true }, models: { slow: SLOW }, redis: REDIS };

interface World {
  readonly fleet: Fleet;
  readonly hasRedis: boolean;
  /** Where snapshots of heaps go. */
  readonly heaps: string;
  /** Where one of the texts stands outside of processes; names of keys too. */
  traces(texts: readonly string[]): Promise<readonly string[]>;
  redisKeys(texts: readonly string[]): Promise<readonly string[]>;
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-heaps-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function onSqlite(t: TestContext): Promise<World> {
  const heaps = folderFor(t);
  const env = heapWords(heaps);
  const fleet = await startFleet(t, { processes: 1, redis: null, config: CONFIG, env });
  return {
    ...{ fleet, heaps, hasRedis: false },
    traces: async (texts) => texts.flatMap((text) => filesWith(fleet.dataDir, text)),
    redisKeys: async () => [],
  };
}

function overDatabase(at: TestDatabase, writer = at.writer): Readonly<Record<string, string>> {
  return { ...installationOn(at), DATABASE_WRITER_URL: writer };
}

async function onPostgres(t: TestContext): Promise<World> {
  const heaps = folderFor(t);
  const at = await postgres.database();
  const redis = await startRedis(t);
  const env = { ...heapWords(heaps), ...overDatabase(at) };
  const fleet = await startFleet(t, { processes: 2, redis, config: CONFIG, env });
  return {
    ...{ fleet, heaps, hasRedis: true },
    async traces(texts) {
      const tables = await tablesWith(postgres.server, at.name, texts);
      const files = texts.flatMap((text) => filesWith(fleet.dataDir, text));
      return [...tables, ...files];
    },
    redisKeys: (texts) => redisKeysWith(redis, texts),
  };
}

/** A tenant with a person, an invitation, a host, limits and a budget, and a key of its own. */
async function settleIn({ fleet }: World, slug: string, mark: string): Promise<string> {
  const made = async (path: string, body: object): Promise<void> => {
    const { status, body: said } = await fleet.api('POST', path, body);
    assert.ok(status < 300, JSON.stringify(said));
  };
  const budget = { limit_usd: '500', period: 'month' } as const;
  await made('/api/v1/tenants', {
    ...{ slug, name: `The ${mark}`, hosts: [`${mark}.example`], budget },
    limits: { requests_per_minute: 100_000, concurrency: 500 },
  });
  const email = `ana@${mark}.example`;
  const person = { email, username: `ana-${mark}`, password: PASSWORD, roles: ['student'] };
  await made('/api/v1/users', { ...person, tenant: slug });
  await made('/api/v1/users/invitations', {
    ...{ email: `eva@${mark}.example`, roles: ['student'], tenant: slug },
  });
  assert.equal((await login(fleet.url(0), `ana-${mark}`)).status, 200);
  const limits = { requests_per_minute: 100_000, tokens_per_minute: 90_000_000, concurrency: 99 };
  const { secret } = await fleet.key({ tenant: slug, name: `key ${mark}`, limits, budget });
  const body = { model: 'slow', messages: [{ role: 'user', content: mark }] };
  for (const { url } of fleet.members) {
    const ask = () => call(url, 'POST', '/v1/chat/completions', { token: secret, body });
    await until('its budget is counted', async () => (await ask()).status === 200, 30_000);
  }
  return secret;
}

/** Waits for a probe to find nothing; fails with what it found. */
async function nothing(probe: () => Promise<readonly string[]>): Promise<void> {
  let found: readonly string[] = [];
  const isGone = async (): Promise<boolean> => {
    found = await probe();
    return found.length === 0;
  };
  await until('nothing to be left', isGone, 60_000).catch(() => undefined);
  assert.deepEqual(found, []);
}

for (const [name, open] of [
  ['PostgreSQL and Redis', onPostgres],
  ['SQLite alone', onSqlite],
] as const) {
  test(`${name}: nothing is left of a tenant that was erased while it was at work`, async (t) => {
    const world = await open(t);
    const { fleet } = world;
    const secret = await settleIn(world, 'acme', MARK);
    const other = await settleIn(world, 'globex', 'of-another');
    const urls = fleet.members.map(({ url }) => url);
    const callers = startCallers({ urls, key: secret, mark: MARK });
    const others = urls.map((url) => startLoad({ url, key: other, perSecond: 10 }));
    t.after(() => Promise.all([callers, ...others].map((each) => each.stop())));
    await until(
      'every kind of call was answered',
      () => {
        const kinds = [...callers.answered].filter(
          ([kind, count]) => /200/.test(kind) && count > 0,
        );
        return kinds.length === 6;
      },
      20_000,
    );
    assert.notDeepEqual(await world.traces([MARK]), []);

    assert.deepEqual(callers.broken, []);

    const begun = await fleet.api('DELETE', '/api/v1/tenants/acme');
    assert.equal(begun.status, 202, JSON.stringify(begun.body));
    const job = async () => (await fleet.api('GET', '/api/v1/tenants/acme')).body.job;
    await until('the erasure to end', async () => (await job()).status === 'done', 60_000);
    const refused = await Promise.all(
      urls.map((url) => call(url, 'GET', '/v1/models', { token: secret })),
    );
    await callers.stop();

    await nothing(async () => [
      ...(await world.traces([MARK])),
      ...(await world.redisKeys([MARK, 'acme'])),
    ]);
    const kept = await world.redisKeys(['{t:globex}', 'esclusa:c:globex:', 'esclusa:stats:globex']);
    assert.equal(kept.length > 5, world.hasRedis, kept.join());
    assert.deepEqual(callers.broken, []);
    const statuses = [...callers.answered.keys()].map((kind) => kind.split(' ')[1]);
    assert.deepEqual(
      statuses.filter((status) => status !== '200' && !REFUSED.includes(Number(status))),
      [],
    );
    for (const { status } of refused) assert.ok(REFUSED.includes(status), String(status));
    const asked = (await Promise.all(others.map((load) => load.stop()))).flat();
    assert.deepEqual(
      asked.filter(({ failure }) => failure !== null),
      [],
    );
    for (const member of fleet.members) {
      // It stands still for that. Who was refused last is known while the connection rests.
      await nothing(() => heapHolds(member, world.heaps, [MARK]));
    }
  });
}

test('what a dead process acknowledged of an erased tenant comes back as nobody’s', async (t) => {
  const at = await postgres.database();
  const first = await startFleet(t, {
    ...{ processes: 1, redis: null, config: {}, env: overDatabase(at) },
  });
  await first.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  const { id, secret } = await first.key({ tenant: 'acme' });
  // A process on another disk, whose way to the ledger is cut while it serves.
  const folder = folderFor(t);
  const way = await startTcpProxy(postgres.server.port);
  const writer = at.writer.replace(`:${postgres.server.port}/`, `:${way.port}/`);
  const dying = await startGatewayProcess(folder, overDatabase(at, writer));
  t.after(() => void dying.child.kill('SIGKILL'));
  await way.close();
  const total = 7;
  for (let number = 0; number < total; number += 1) {
    const answer = await call(dying.url, 'POST', '/v1/chat/completions', {
      ...{ token: secret, headers: { 'x-correlation-id': `corr-${MARK}-${number}` } },
      body: { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] },
    });
    assert.equal(answer.status, 200);
  }
  await dying.kill('SIGKILL');
  const requests = async () => {
    const page = await first.api('GET', '/api/v1/requests?tenant=acme');
    return page.body.data as readonly { readonly key_id: string }[];
  };
  assert.deepEqual(await requests(), []);

  await first.api('DELETE', '/api/v1/tenants/acme');
  const job = async () => (await first.api('GET', '/api/v1/tenants/acme')).body.job;
  await until('the erasure to end', async () => (await job()).status === 'done', 30_000);
  const back = await startGatewayProcess(folder, overDatabase(at));
  t.after(() => void back.child.kill('SIGKILL'));

  await until('its journal to be in the ledger', async () => (await requests()).length > 0, 20_000);
  await until('nobody to be known in it', async () => {
    const found = await tablesWith(postgres.server, at.name, [MARK, id]);
    return found.every((table) => table === 'audit_log') && filesWith(folder, MARK).length === 0;
  });
  const rows = await requests();
  assert.equal(rows.length, total);
  for (const row of rows) assert.match(row.key_id, /^erased_/);
});
