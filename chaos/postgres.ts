/**
 * PostgreSQL frozen, and slow to insert, under chats at a steady rate
 * whatever becomes of those before (an open loop). What a client waits for is compared with the
 * calm before; the gateway is a process of its own, whose memory is read from `/proc`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN_KEY } from '../server/test/support/gateway.ts';
import { startGatewayProcess } from '../server/test/support/gateway-process.ts';
import { rolesOf } from '../server/test/support/postgres-gateway.ts';
import { PostgresServer, type TestDatabase } from '../server/test/support/postgres-server.ts';

interface Fault {
  readonly name: string;
  /** Of reliability: how much slower than in the calm 99 of 100 chats may be. */
  readonly addedP99Ms: number;
  begin(server: PostgresServer, database: TestDatabase): Promise<void>;
  end(server: PostgresServer, database: TestDatabase): Promise<void>;
}

interface Asked {
  readonly status: number;
  readonly tookMs: number;
}

const PER_SECOND = 50;
const CALM_MS = 10_000;
const FAULT_MS = 20_000;
const RECOVER_MS = 30_000;
const RSS_GROWTH_MB = 256;

const FAULTS: readonly Fault[] = [
  {
    name: 'postgres-frozen',
    addedP99Ms: 50,
    begin: async (server) => server.freeze(),
    end: async (server) => server.thaw(),
  },
  {
    name: 'postgres-slow-inserts',
    addedP99Ms: 20,
    async begin(server, { name }) {
      await server.query(
        name,
        `create function slow() returns trigger language plpgsql as
          $$ begin perform pg_sleep(5); return null; end $$`,
      );
      const when = 'before insert on requests for each statement';
      await server.query(name, `create trigger slow ${when} execute function slow()`);
    },
    async end(server, { name }) {
      await server.query(name, 'drop trigger slow on requests');
    },
  },
];

async function measure(fault: Fault, say: (progress: string) => void) {
  const server = await PostgresServer.start();
  const dataDir = mkdtempSync(join(tmpdir(), 'esclusa-chaos-'));
  const database = await server.createDatabase();
  const gateway = await startGatewayProcess(dataDir, {
    ...rolesOf(database),
    ...{ DB_POOL_SIZE: '4', DB_MAX_OVERFLOW: '2' },
  });
  try {
    await ask(gateway.url, 2000); // warm
    say('calm');
    const calm = await ask(gateway.url, CALM_MS);
    const rssBefore = rssMb(gateway.child.pid);
    say('the fault');
    await fault.begin(server, database);
    const { asked, lastId } = await ask(gateway.url, FAULT_MS);
    const rssGrowthMb = rssMb(gateway.child.pid) - rssBefore;
    await fault.end(server, database);
    const recoveredMs = await found(gateway.url, lastId);
    const failed = asked.filter(({ status }) => status !== 200).length;
    const [calmP99Ms, p99Ms] = [p99(calm.asked), p99(asked)];
    const figures = { chats: asked.length, failed, calmP99Ms, p99Ms, rssGrowthMb, recoveredMs };
    return {
      figures,
      isMet: failed === 0 && p99Ms <= calmP99Ms + fault.addedP99Ms && rssGrowthMb <= RSS_GROWTH_MB,
    };
  } finally {
    await gateway.kill('SIGKILL');
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function ask(url: string, durationMs: number) {
  const asked: Asked[] = [];
  const running: Promise<void>[] = [];
  const beganMs = performance.now();
  let lastId = '';
  for (let number = 0; number < (durationMs * PER_SECOND) / 1000; number += 1) {
    const atMs = beganMs + (number * 1000) / PER_SECOND;
    await pause(Math.max(0, atMs - performance.now()));
    running.push(
      chat(url).then(({ status, id }) => {
        asked.push({ status, tookMs: performance.now() - atMs });
        lastId = id;
      }),
    );
  }
  await Promise.all(running);
  return { asked, lastId };
}

async function chat(url: string): Promise<{ readonly status: number; readonly id: string }> {
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        'cache-control': 'no-store',
      },
      body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'Hola' }] }),
      signal: AbortSignal.timeout(10_000),
    });
    await answer.text();
    return { status: answer.status, id: answer.headers.get('x-request-id') ?? '' };
  } catch {
    return { status: 0, id: '' };
  }
}

/** Milliseconds until the exchange is in the ledger; negative: it never was. */
async function found(url: string, id: string): Promise<number> {
  const sinceMs = performance.now();
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  while (performance.now() - sinceMs < RECOVER_MS) {
    const answer = await fetch(`${url}/api/v1/requests/${id}`, { headers });
    await answer.text();
    if (answer.status === 200) return Math.round(performance.now() - sinceMs);
    await pause(100);
  }
  return -1;
}

/** The nearest rank, in milliseconds with one decimal. */
function p99(asked: readonly Asked[]): number {
  const sorted = asked.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  return Number((sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0).toFixed(1));
}

function rssMb(pid = 0): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** One scenario for each fault. */
export const postgresFaults = Object.fromEntries(
  FAULTS.map((fault) => [fault.name, (say: (progress: string) => void) => measure(fault, say)]),
);
