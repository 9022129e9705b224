/**
 * What a server says of itself that matters for what it is used for.
 */
import type { RedisStore } from './store.ts';

export interface ServerInfo {
  readonly version: string;
  readonly usedMemoryBytes: number;
  /** 0: no bound. */
  readonly maxMemoryBytes: number;
  /** `noeviction`, `allkeys-lru`, … */
  readonly evictionPolicy: string;
}

/** Rejects with a `RedisFailure`. Of a cluster it is one node that answers. */
export async function readServerInfo(redis: RedisStore): Promise<ServerInfo> {
  const text = await redis.background('info', (client) => client.info(), { idempotent: true });
  const lines = new Map(
    text.split('\r\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  return {
    version: lines.get('valkey_version') ?? lines.get('redis_version') ?? '',
    usedMemoryBytes: Number(lines.get('used_memory') ?? 0),
    maxMemoryBytes: Number(lines.get('maxmemory') ?? 0),
    evictionPolicy: lines.get('maxmemory_policy') ?? '',
  };
}
