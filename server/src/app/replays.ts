/**
 * Answers kept for `Idempotency-Key`: in this process, or in Redis for all who share it.
 */
import type { Config } from '../config/index.ts';
import type { ReplayDeps } from '../gateway/pipeline/replay.ts';
import { createReplaySeals } from '../gateway/replay/seal.ts';
import { createMemoryReplayStore } from '../stores/memory/replay-store.ts';
import type { RedisStore } from '../stores/redis/store.ts';
import { createReplayFallback } from '../stores/replay-fallback.ts';
import type { Parts } from './parts.ts';

export interface Replays extends ReplayDeps {
  degraded(): readonly string[];
  close(): void;
}

type Deps = Pick<Parts, 'clock' | 'random' | 'ids' | 'identity'>;

const HOUR_MS = 3_600_000;

/** `state`: null where nothing is shared. `config`: the one in force. */
export async function createReplays(
  { clock, random, ids, identity }: Deps,
  config: () => Config,
  state: RedisStore | null,
): Promise<Replays> {
  const bounds = () => {
    const { retentionHours, maxEntries, maxBytes } = config().idempotency;
    return { retentionMs: retentionHours * HOUR_MS, maxEntries, maxBytes };
  };
  const common = {
    clock,
    seals: createReplaySeals(identity.secrets.replayKey, random),
    settings() {
      const { idempotency, resilience } = config();
      return { ...idempotency, joinMs: resilience.timeouts.totalMs };
    },
  };
  const alone = createMemoryReplayStore({ clock, bounds });
  if (state === null) {
    return { ...common, store: alone, degraded: () => [], close: () => undefined };
  }
  const { createRedisReplayStore } = await import('../stores/redis/replay-store.ts');
  const nextOwner = () => ids.next('replay');
  const shared = createRedisReplayStore({ redis: state, clock, bounds, nextOwner });
  const store = createReplayFallback(shared, alone, clock);
  return {
    ...common,
    store,
    degraded: () => (store.isDegraded() ? ['idempotency'] : []),
    close: () => shared.close(),
  };
}
