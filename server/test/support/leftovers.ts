/**
 * Where texts that were planted still stand: in any table of a PostgreSQL, under any name or in
 * any value of a Redis, in what a process can still reach in its memory.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { GatewayProcess } from './gateway-process.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { TestRedis } from './redis-server.ts';
import { until } from './until.ts';

/** The names of tables with one of the texts in a row of theirs. */
export async function tablesWith(
  server: PostgresServer,
  database: string,
  texts: readonly string[],
): Promise<readonly string[]> {
  const tables = await server.query<{ name: string }>(
    database,
    `select relname as name from pg_class
     where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
  );
  const likes = texts.flatMap((text) => [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`]);
  const found: string[] = [];
  for (const { name } of tables) {
    const sql = `select 1 from ${name} t where t::text like any ($1) limit 1`;
    if ((await server.query(database, sql, [likes])).length > 0) found.push(name);
  }
  return found;
}

/** The names of keys that have one of the texts in them, or in their value. */
export async function redisKeysWith(
  { port }: TestRedis,
  texts: readonly string[],
): Promise<readonly string[]> {
  const client = new Redis({ port, host: '127.0.0.1' });
  try {
    const names = await client.keys('*');
    const found: string[] = [];
    for (const name of names) {
      const value = Buffer.concat([Buffer.from(name), ...(await valuesOf(client, name))]);
      if (texts.some((text) => value.includes(text))) found.push(name);
    }
    return found.sort();
  } finally {
    client.disconnect();
  }
}

const AROUND = 80;

async function valuesOf(client: Redis, name: string): Promise<readonly Buffer[]> {
  switch (await client.type(name)) {
    case 'string':
      return [(await client.getBuffer(name)) ?? Buffer.alloc(0)];
    case 'hash':
      return Object.entries(await client.hgetallBuffer(name)).flatMap(([field, value]) => [
        ...[Buffer.from(field), value],
      ]);
    case 'zset':
      return client.zrangeBuffer(name, '0', '-1');
    case 'set':
      return client.smembersBuffer(name);
    case 'list':
      return client.lrangeBuffer(name, 0, -1);
    default:
      return []; // gone meanwhile
  }
}

/** What a process needs to be started with, so that `heapHolds` can look into it. */
export function heapWords(folder: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}` };
}

/** What its main thread still holds around one of the texts, in strings that anything leads to. */
export async function heapHolds(
  { child }: GatewayProcess,
  folder: string,
  texts: readonly string[],
): Promise<readonly string[]> {
  for (const file of snapshots(folder)) rmSync(file);
  child.kill('SIGUSR2');
  let snapshot = '';
  await until(
    'the snapshot of the heap',
    () => {
      const [file] = snapshots(folder);
      snapshot = file === undefined ? '' : readFileSync(file, 'utf8');
      return snapshot.trimEnd().endsWith('}');
    },
    60_000,
  );
  return texts.flatMap((text) => {
    const at = snapshot.indexOf(text);
    return at < 0 ? [] : [snapshot.slice(Math.max(0, at - AROUND), at + AROUND)];
  });
}

function snapshots(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.heapsnapshot'))
    .map((name) => join(folder, name));
}
