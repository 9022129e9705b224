/**
 * Limits, budgets and attempts to sign in: counted in this process, or in Redis with all who
 * share it.
 */
import type { Config } from '../config/index.ts';
import type { BudgetStore } from '../gateway/ports/budget-store.ts';
import type { LimitStore } from '../gateway/ports/limit-store.ts';
import { createLimitShare } from '../stores/limit-share.ts';
import { createMemoryBudgetStore, RESERVATION_GRACE_MS } from '../stores/memory/budget-store.ts';
import { createMemoryLimitStore } from '../stores/memory/limit-store.ts';
import type { RedisStore } from '../stores/redis/store.ts';
import { single } from '../telemetry/metrics.ts';
import type { Parts } from './parts.ts';

export interface Counters {
  readonly limits: LimitStore;
  readonly budgets: BudgetStore;
  /** Names of what is counted with less than it should be. */
  degraded(): readonly string[];
  close(): Promise<void>;
}

type Deps = Pick<Parts, 'clock' | 'ids' | 'identity' | 'storage' | 'telemetry'>;

/** `state`: null where nothing is shared. */
export async function createCounters(
  deps: Deps,
  config: Config,
  state: RedisStore | null,
): Promise<Counters> {
  const { clock, storage } = deps;
  const reservationTtlMs = config.resilience.timeouts.totalMs + RESERVATION_GRACE_MS;
  const limits = createMemoryLimitStore({ clock });
  if (state !== null) return shared(deps, state, limits, reservationTtlMs);
  return {
    limits,
    budgets: createMemoryBudgetStore({ clock, history: storage.history, reservationTtlMs }),
    degraded: () => [],
    close: async () => undefined,
  };
}

async function shared(
  { clock, ids, identity, storage, telemetry }: Deps,
  redis: RedisStore,
  alone: LimitStore,
  reservationTtlMs: number,
): Promise<Counters> {
  const [{ createRedisLimitStore }, { createRedisBudgetStore }, { createWorkers }] =
    await Promise.all([
      import('../stores/redis/limit-store.ts'),
      import('../stores/redis/budget-store.ts'),
      import('../stores/redis/workers.ts'),
    ]);
  const { metrics } = telemetry;
  const workers = createWorkers({
    ...{ redis, clock, id: ids.next('worker') },
    recovered: () => storage.figures().recoveredRecords,
  });
  const inCommon = createRedisLimitStore({ redis, clock, name: ids.next('lease') });
  const limits = createLimitShare({
    ...{ inCommon, alone, clock },
    processes: () => workers.count(),
    decidedAlone: metrics.limitsDecidedAlone.child({}),
  });
  const budgets = createRedisBudgetStore({
    ...{ redis, workers, clock, reservationTtlMs, history: storage.history },
    log: telemetry.log.named('budgets'),
    nextToken: () => ids.next('load'),
  });
  identity.countSignInsIn(limits);
  void workers.start();
  metrics.processes.sample(single(() => workers.count()));
  metrics.bookingsWaiting.sample(single(() => budgets.waiting()));
  return {
    ...{ limits, budgets },
    degraded: () => (limits.isDegraded() ? ['limits'] : []),
    async close() {
      inCommon.close();
      await Promise.all([inCommon.settled(), budgets.close()]);
      // Who is not in the register is not asked for what its journal has and the ledger has not.
      await storage.history.settled().catch(() => undefined);
      await workers.stop();
    },
  };
}
