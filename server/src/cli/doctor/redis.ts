/**
 * Whether each Redis answers, and whether it forgets what it should: `cache` may evict, `state`
 * must not.
 */
import type { RedisProbe } from '../../app/redis-probe.ts';
import type { Config } from '../../config/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, reasonOf, remark } from './finding.ts';

const KEEPS = 'noeviction';

export async function checkRedis(
  { doctor: { redis: say } }: Messages,
  { redis }: Config,
): Promise<readonly Finding[]> {
  if (redis === null) return [];
  const { probeRedis } = await import('../../app/redis-probe.ts');
  try {
    return (await probeRedis(redis)).map((probe) => judge(say, probe));
  } catch (error) {
    return [fault('redis', say.bad('', reasonOf(error)))];
  }
}

function judge(say: Messages['doctor']['redis'], probe: RedisProbe): Finding {
  const { store, info, latencyMs, reason } = probe;
  const check = `redis ${store}`;
  if (info === null) return fault(check, say.bad(store, reason));
  const { evictionPolicy: policy, maxMemoryBytes } = info;
  const isBounded = maxMemoryBytes > 0;
  if (store === 'state' && isBounded && policy !== KEEPS) return remark(check, say.evicts(policy));
  if (store === 'cache' && isBounded && policy === KEEPS) return remark(check, say.fills());
  return good(check, say.good(store, info.version, Math.round(latencyMs)));
}
