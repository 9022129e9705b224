/**
 * Goal: what is missing does what `docs/degraded.md` says, and everything works again when it is
 * back, without a restart. Method: the whole program over real servers, each of which is absent
 * at the start, dies later, and returns; one table, one test for each case.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type TestContext, test } from 'node:test';
import { StartupValidationError } from '../../src/operations/index.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startOnPostgres } from '../support/postgres-gateway.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis-server.ts';
import { startScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const CHECKED = { ENABLE_STARTUP_VALIDATION: 'true' };
const NOTICED_MS = 10_000;
const BACK_MS = 20_000;

interface Scene {
  /** Rejects where the policy is not to start. */
  start(): Promise<TestGateway>;
  vanish(): Promise<void>;
  appear(): Promise<void>;
}

interface Policy {
  readonly dependency: string;
  /** With the dependency there unless `isAbsent`. */
  scene(t: TestContext, isAbsent: boolean): Promise<Scene>;
  /** What stands in `degraded` while it is away. */
  readonly degraded: readonly string[];
  /** Of `/api/v1/health` while it is away. */
  readonly health: readonly [number, string];
  /** Of a chat whose key is known, while it is away. */
  readonly chat: number;
  /** The check at start that is about it. */
  readonly check: string;
  /** Whether it ends a start; else it is a warning. */
  readonly isCritical: boolean;
}

const postgres = await postgresForFile();

const POLICIES: readonly Policy[] = [
  {
    dependency: 'the database',
    async scene(t, isAbsent) {
      const database = await postgres.database();
      const { server } = postgres;
      t.after(() => server.start().catch(() => undefined)); // it serves the other tests, too
      if (isAbsent) await server.kill();
      return {
        start: () => startOnPostgres(t, database, { env: CHECKED }),
        vanish: () => server.kill(),
        appear: () => server.start(),
      };
    },
    degraded: ['keys', 'database'],
    health: [503, 'unhealthy'],
    chat: 200,
    check: 'database_connection',
    isCritical: true,
  },
  {
    dependency: 'Redis',
    async scene(t, isAbsent) {
      const port = await freePort();
      let redis: TestRedis | null = isAbsent ? null : await startRedis(t, { port });
      const env = { ...CHECKED, REDIS_URL: `redis://127.0.0.1:${port}` };
      return {
        start: () => owned(t, startGateway({ env })),
        vanish: async () => redis?.kill(),
        async appear() {
          if (redis === null) redis = await startRedis(t, { port });
          else await redis.restart();
        },
      };
    },
    degraded: ['redis-cache', 'redis-state'],
    health: [200, 'degraded'],
    chat: 200,
    check: 'redis_connection',
    isCritical: false,
  },
  {
    dependency: 'a provider',
    async scene(t, isAbsent) {
      const upstream = await startScriptedUpstream();
      t.after(() => upstream.close());
      if (isAbsent) await upstream.refuse();
      const vendor = { kind: 'openai-compatible', base_url: upstream.url, api_key: 'sk-x' };
      const config = {
        providers: { vendor },
        models: { mock: { targets: [{ provider: 'vendor', model: 'mock' }] } },
        resilience: {
          breaker: {
            failure_threshold: 2,
            minimum_calls: 2,
            open_seconds: 0.5,
            success_threshold: 1,
          },
          retry: { attempts: 1 },
        },
      };
      return {
        start: () => owned(t, startGateway({ config, env: CHECKED })),
        vanish: () => upstream.refuse(),
        appear: () => upstream.accept(),
      };
    },
    degraded: ['providers'],
    health: [200, 'degraded'],
    chat: 503,
    check: 'provider vendor',
    isCritical: false,
  },
  {
    dependency: 'the object storage',
    async scene(t, isAbsent) {
      const port = await freePort();
      let server: Server | null = isAbsent ? null : await bucketAt(port);
      t.after(() => server?.close());
      const object_storage = {
        ...{ url: `http://127.0.0.1:${port}`, bucket: 'documents', probe_seconds: 1 },
        ...{ access_key_id: 'AKID', secret_access_key: 'secret' },
      };
      return {
        start: () => owned(t, startGateway({ config: { object_storage }, env: CHECKED })),
        async vanish() {
          server?.closeAllConnections();
          server?.close();
        },
        async appear() {
          server = await bucketAt(port);
        },
      };
    },
    degraded: ['object-storage'],
    health: [200, 'degraded'],
    chat: 200,
    check: 'object_storage',
    isCritical: false,
  },
];

for (const policy of POLICIES) {
  const { dependency, check, isCritical } = policy;

  test(`${dependency} absent at the start: as the policy says`, async (t) => {
    const { start, appear } = await policy.scene(t, true);

    if (isCritical) {
      const startedMs = performance.now();
      await assert.rejects(start(), (error) => failedIn(error) === check);
      assert.ok(performance.now() - startedMs < 5000);
      await appear();
      await assertWell(await start());
      return;
    }
    const gateway = await start();
    const { body } = await gateway.api('GET', '/health/startup');
    assert.equal(body.critical_failures, 0);
    assert.equal(statusOf(body.results, check), 'warning');
    await assertAway(policy, gateway);
    await appear();
    await assertWell(gateway);
  });

  test(`${dependency} dies later: as the policy says`, async (t) => {
    const { start, vanish } = await policy.scene(t, false);
    const gateway = await start();
    await assertWell(gateway);

    await vanish();

    await assertAway(policy, gateway);
  });

  test(`${dependency} returns: all is well again without a restart`, async (t) => {
    const { start, vanish, appear } = await policy.scene(t, false);
    const gateway = await start();
    await assertWell(gateway);
    await vanish();
    await assertAway(policy, gateway);

    await appear();

    await assertWell(gateway);
  });
}

interface Result {
  readonly name: string;
  readonly status: string;
}

function failedIn(error: unknown): string | undefined {
  if (!(error instanceof StartupValidationError)) return undefined;
  return error.summary.results.find(({ status }) => status === 'fail')?.name;
}

function statusOf(results: readonly Result[], check: string): string | undefined {
  return results.find(({ name }) => name === check)?.status;
}

/** It is told by `ready` and `health`, the process lives, and chats go as the policy says. */
async function assertAway(policy: Policy, gateway: TestGateway): Promise<void> {
  await until(
    `${policy.dependency} to be missed`,
    async () => {
      const status = await chat(gateway);
      const ready = await gateway.api('GET', '/health/ready');
      assert.equal(ready.status, 200, 'nothing critical for answers is missing');
      const isNamed = policy.degraded.every((name) => ready.body.degraded.includes(name));
      return isNamed && status === policy.chat;
    },
    NOTICED_MS,
  );
  const health = await gateway.api('GET', '/api/v1/health');
  const live = await gateway.api('GET', '/health/live');
  assert.deepEqual([health.status, health.body.status, live.status], [...policy.health, 200]);
}

async function assertWell(gateway: TestGateway): Promise<void> {
  await until(
    'all to be well',
    async () => {
      const status = await chat(gateway);
      const health = await gateway.api('GET', '/api/v1/health');
      return status === 200 && health.status === 200 && health.body.status === 'healthy';
    },
    BACK_MS,
  );
}

async function chat(gateway: TestGateway): Promise<number> {
  const body = { model: 'mock', messages: [{ role: 'user', content: 'hola' }] };
  const answer = await gateway.chat(body);
  await answer.text();
  return answer.status;
}

async function owned(t: TestContext, starting: Promise<TestGateway>): Promise<TestGateway> {
  const gateway = await starting;
  t.after(() => gateway.close());
  return gateway;
}

async function bucketAt(port: number): Promise<Server> {
  const server = createServer((_request, response) => response.writeHead(200).end());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
