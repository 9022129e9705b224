/**
 * Where flags are kept that somebody changed, with the plan that is raising them. All methods
 * throw `storage_unavailable` when the database does not answer in time.
 */
import type { Rollout } from '@esclusa/contracts';

export type FlagBy = 'tenant' | 'user' | 'process';

export interface FlagDefinition {
  readonly enabled: boolean;
  /** 0 to 100, whole. */
  readonly percentage: number;
  readonly by: FlagBy;
  /** On for these, whatever the share, while it is enabled. */
  readonly tenants: readonly string[];
}

export interface FlagRecord extends FlagDefinition {
  readonly name: string;
  readonly rollout: Rollout | null;
  /** Rises with every change of this flag; from 1. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly updatedAtMs: number;
  /** `key_…`, `usr_…`, or `rollout`. */
  readonly updatedBy: string;
}

export interface FlagRepository {
  /** Every stored flag, by name. */
  all(): Promise<readonly FlagRecord[]>;
  /**
   * Writes a flag whose stored version is one less than the record's (0: there is none); false
   * where somebody else was quicker, and nothing was written.
   */
  save(record: FlagRecord): Promise<boolean>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
}
