/**
 * The whole program over a real PostgreSQL, as an installation with three roles starts it.
 */
import type { TestContext } from 'node:test';
import { afterwards } from './afterwards.ts';
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';
import type { TestDatabase } from './postgres-server.ts';

type Env = Readonly<Record<string, string>>;

/** The three roles. */
export function rolesOf({ runtime, owner, writer }: TestDatabase): Env {
  return { DATABASE_URL: runtime, DATABASE_MIGRATION_URL: owner, DATABASE_WRITER_URL: writer };
}

/** What all who share it have, with small pools, so that a test can exhaust them. */
export function installationOn(database: TestDatabase): Env {
  return {
    ESCLUSA_MASTER_SECRET: 'a-secret-that-all-who-share-a-database-have',
    ...rolesOf(database),
    ...{ DB_POOL_SIZE: '4', DB_MAX_OVERFLOW: '2', DB_ANALYTICS_POOL_SIZE: '2' },
  };
}

export async function startOnPostgres(
  t: TestContext,
  database: TestDatabase,
  options: GatewayOptions = {},
): Promise<TestGateway> {
  const gateway = await startGateway({
    ...options,
    env: {
      ...installationOn(database),
      DB_POOL_TIMEOUT: '1',
      ...options.env,
    },
  });
  afterwards(t, () => gateway.close());
  return gateway;
}

/** One chat with the built-in model; answers the status and the id of the exchange. */
export async function chatOnce(
  gateway: TestGateway,
  key?: string,
  content = 'Hola',
): Promise<{ readonly status: number; readonly id: string }> {
  const body = { model: 'mock', messages: [{ role: 'user', content }] };
  const answer = await gateway.chat(body, key, { headers: { 'cache-control': 'no-store' } });
  await answer.text();
  return { status: answer.status, id: answer.headers.get('x-request-id') ?? '' };
}

export interface Load {
  readonly statuses: ReadonlyMap<number, number>;
  readonly durationsMs: readonly number[];
}

/** Asks `total` times, `concurrent` at once. */
export async function load(
  ask: () => Promise<{ readonly status: number }>,
  total: number,
  concurrent: number,
): Promise<Load> {
  const statuses = new Map<number, number>();
  const durationsMs: number[] = [];
  let left = total;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedMs = performance.now();
      const { status } = await ask();
      durationsMs.push(performance.now() - startedMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, worker));
  return { statuses, durationsMs: durationsMs.sort((a, b) => a - b) };
}
