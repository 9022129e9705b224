/**
 * A Redis Cluster of three primaries, and a primary with a replica under the watch of a
 * sentinel, on this machine: as real as a single server.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RedisAddress } from '../../src/stores/redis/connection.ts';
import type { Owner } from './afterwards.ts';
import { freePort, localAddress, startRedis, type TestRedis } from './redis-server.ts';
import { until } from './until.ts';

export interface TestCluster {
  readonly nodes: readonly TestRedis[];
  readonly address: RedisAddress;
}

export interface TestSentinel {
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  readonly address: RedisAddress;
  readonly sentinel: TestRedis;
}

const run = promisify(execFile);
const HOST = '127.0.0.1';
const PRIMARIES = 3;
const NAME = 'main';

export async function startRedisCluster(owner: Owner): Promise<TestCluster> {
  // The bus between nodes is told its port: the usual one is 10 000 above, which may not exist.
  const nodes = await Promise.all(
    Array.from({ length: PRIMARIES }, async () =>
      startRedis(owner, {
        settings: [
          ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'],
          ...['--cluster-port', String(await freePort())],
        ],
      }),
    ),
  );
  const hosts = nodes.map(({ port }) => `${HOST}:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-yes']);
  for (const node of nodes) {
    const joined = async () => (await node.cli('cluster', 'info')).includes('cluster_state:ok');
    await until('the cluster is joined', joined);
  }
  const [first] = nodes;
  if (first === undefined) throw new Error('a cluster has nodes');
  const places = nodes.map(({ port }) => ({ host: HOST, port }));
  const place = { kind: 'cluster', nodes: places } as const;
  return { nodes, address: { ...first.address, place } };
}

export async function startRedisSentinel(owner: Owner): Promise<TestSentinel> {
  const primary = await startRedis(owner);
  const replica = await startRedis(owner, {
    settings: ['--replicaof', `${HOST} ${primary.port}`],
  });
  await until('the replica follows', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  );
  const port = await freePort();
  const file = join(primary.folder, 'sentinel.conf');
  const watch = [
    `sentinel monitor ${NAME} ${HOST} ${primary.port} 1`,
    `sentinel down-after-milliseconds ${NAME} 500`,
    `sentinel failover-timeout ${NAME} 2000`,
  ];
  await writeFile(file, [`port ${port}`, `bind ${HOST}`, ...watch, ''].join('\n'));
  const sentinel = await startRedis(owner, { port, configuration: file, sentinel: true });
  await until('the sentinel knows the replica', async () =>
    (await sentinel.cli('sentinel', 'master', NAME)).includes('num-slaves\n1'),
  );
  const sentinels = [{ host: HOST, port }];
  return {
    ...{ primary, replica, sentinel },
    address: {
      ...localAddress(primary.port),
      place: { kind: 'sentinel', name: NAME, sentinels, sentinelPassword: null },
    },
  };
}
