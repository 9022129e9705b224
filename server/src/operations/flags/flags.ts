/**
 * What people do with flags: look at them, change them, take a change back, and give them a plan
 * that raises them step by step. Who may do so is decided before; that it was done is written
 * down by whoever calls.
 */
import type { FlagUpdate, RolloutPlan } from '@esclusa/contracts';
import { GatewayError } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { FlagRecord, FlagRepository } from '../ports/flag-repository.ts';
import { defaultOf, KNOWN_FLAGS, knownFlag } from './known.ts';
import { beginRollout } from './rollout.ts';

export interface FlagUseCases {
  /** Those of the product first, then the others by name. */
  list(): Promise<readonly FlagView[]>;
  /** Throws `not_found`. */
  get(name: string): Promise<FlagView>;
  /** Makes it where there is none. Ends a plan that is raising it. Throws `conflict`. */
  update(name: string, change: FlagUpdate, by: string): Promise<FlagView>;
  /** Back to what it is by default. Throws `not_found`. */
  remove(name: string): Promise<void>;
  /** Begins at the first step. Throws `conflict`. */
  roll(name: string, plan: RolloutPlan, by: string): Promise<FlagView>;
  /** Leaves the share where it is. Throws `not_found`, `conflict`. */
  cancel(name: string, by: string): Promise<FlagView>;
}

/** `record` is null where nobody changed it. */
export interface FlagView {
  readonly name: string;
  readonly record: FlagRecord | null;
}

export interface FlagDeps {
  readonly repository: FlagRepository;
  /** After a change: resolves when this process knows it. */
  readonly refresh: () => Promise<void>;
  readonly clock: Clock;
}

/** Flags are read whole, and often. */
const FLAGS_MAX = 500;
/** Two who change one flag at once: the second tries again. */
const TRIES = 3;

export function createFlagUseCases({ repository, refresh, clock }: FlagDeps): FlagUseCases {
  async function save(
    name: string,
    by: string,
    change: (record: FlagRecord) => FlagRecord,
  ): Promise<FlagView> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const stored = await find(repository, name);
      const base = stored ?? { ...defaultOf(name), name, rollout: null, version: 0 };
      const stamp = { updatedAtMs: clock.wallMs(), updatedBy: by };
      const record = change({ ...base, ...stamp, version: base.version + 1 });
      if (await repository.save(record)) {
        await refresh();
        return { name, record };
      }
    }
    throw new GatewayError('conflict', { message: 'The flag is being changed by somebody else.' });
  }

  return {
    async list() {
      const records = await repository.all();
      const known = Object.keys(KNOWN_FLAGS);
      const own = records.filter(({ name }) => knownFlag(name) === null).map(({ name }) => name);
      return [...known, ...own].map((name) => ({
        name,
        record: records.find((record) => record.name === name) ?? null,
      }));
    },
    async get(name) {
      const record = await find(repository, name);
      if (record === null && knownFlag(name) === null) throw missing();
      return { name, record };
    },
    update: (name, { enabled, percentage, by: counted, tenants }, by) =>
      save(name, by, (record) => ({
        ...record,
        enabled: enabled ?? (percentage === undefined ? record.enabled : true),
        percentage:
          percentage ?? (enabled === true && record.percentage === 0 ? 100 : record.percentage),
        by: record.by === 'process' ? 'process' : (counted ?? record.by),
        tenants: tenants ?? record.tenants,
        rollout: ended(record.rollout),
      })),
    async remove(name) {
      if (!(await repository.remove(name))) throw missing();
      await refresh();
    },
    roll: (name, plan, by) =>
      save(name, by, (record) => {
        const rollout = beginRollout(plan, clock.wallMs());
        return { ...record, enabled: true, percentage: plan.steps[0]?.percentage ?? 0, rollout };
      }),
    cancel: (name, by) =>
      save(name, by, (record) => {
        if (record.rollout?.status !== 'running') {
          throw new GatewayError('conflict', { message: 'The flag has no plan that is running.' });
        }
        return { ...record, rollout: ended(record.rollout) };
      }),
  };
}

/** Throws `conflict` where it would be one too many. */
async function find(repository: FlagRepository, name: string): Promise<FlagRecord | null> {
  const all = await repository.all();
  const found = all.find((record) => record.name === name) ?? null;
  if (found === null && all.length >= FLAGS_MAX) {
    throw new GatewayError('conflict', {
      message: `There are ${FLAGS_MAX} flags already; remove one that is no longer used.`,
    });
  }
  return found;
}

/** What somebody sets by hand, no plan must change behind them. */
function ended(rollout: FlagRecord['rollout']): FlagRecord['rollout'] {
  return rollout?.status === 'running' ? { ...rollout, status: 'cancelled' } : rollout;
}

function missing(): GatewayError {
  return new GatewayError('not_found', { message: 'There is no flag of this name.' });
}
