/**
 * Several processes of the program that serve one place: one data folder, one Redis, one
 * configuration. Answers by any of them; a process may be killed and started again.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Owner } from './afterwards.ts';
import { ADMIN_KEY, type NewKey } from './gateway.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import type { TestRedis } from './redis-server.ts';
import { until } from './until.ts';

export interface FleetOptions {
  readonly processes: number;
  /** null: none. */
  readonly redis: TestRedis | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Fleet {
  /** Those that live. */
  readonly members: GatewayProcess[];
  readonly dataDir: string;
  /** The address of a living one, in turn. */
  url(turn: number): string;
  start(): Promise<GatewayProcess>;
  /** Ends a member and resolves when it is gone. */
  end(member: GatewayProcess, signal: NodeJS.Signals): Promise<void>;
  api(method: string, path: string, body?: unknown, url?: string): Promise<FleetAnswer>;
  /** Makes a key and resolves when every member knows it. */
  key(wanted?: NewKey): Promise<{ readonly id: string; readonly secret: string }>;
}

export interface FleetAnswer {
  readonly status: number;
  /** Whatever the route answers; tests look into it. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export async function startFleet(owner: Owner, options: FleetOptions): Promise<Fleet> {
  const dataDir = await mkdtemp(join(tmpdir(), 'esclusa-fleet-'));
  const file = join(dataDir, 'esclusa.yaml');
  await writeFile(file, stringify(options.config));
  const members: GatewayProcess[] = [];
  owner.after(async () => {
    for (const { child } of members) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  });

  async function start(): Promise<GatewayProcess> {
    const shared = options.redis === null ? {} : { REDIS_URL: options.redis.url };
    const env = { ESCLUSA_CONFIG: file, ...shared, ...options.env };
    const member = await startGatewayProcess(dataDir, env);
    members.push(member);
    return member;
  }

  async function api(
    method: string,
    path: string,
    body?: unknown,
    url = members[0]?.url ?? '',
  ): Promise<FleetAnswer> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  async function knows({ url }: GatewayProcess, secret: string): Promise<boolean> {
    const answer = await fetch(`${url}/v1/models`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    await answer.arrayBuffer();
    return answer.status === 200;
  }

  await start(); // the first makes the tables and the secret
  await Promise.all(Array.from({ length: options.processes - 1 }, start));
  return {
    members,
    dataDir,
    url: (turn) => members[turn % members.length]?.url ?? '',
    start,
    async end(member, signal) {
      members.splice(members.indexOf(member), 1);
      await member.kill(signal);
    },
    api,
    async key(wanted = {}) {
      const { status, body } = await api('POST', '/api/v1/keys', { name: 'test', ...wanted });
      if (status !== 201) throw new Error(`no key: ${JSON.stringify(body)}`);
      await until('every process knows the key', async () => {
        const known = await Promise.all(members.map((member) => knows(member, body.key)));
        return known.every(Boolean);
      });
      return { id: body.id, secret: body.key };
    },
  };
}
