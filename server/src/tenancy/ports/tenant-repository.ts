/**
 * Where tenants are kept. A row is never taken away: the slug of one that was erased stays
 * taken, so that nobody ever sees figures of another under their own name.
 */
import type { Allowance, Budget, Limits } from '../../gateway/index.ts';
import type { DataPlace } from './data-place.ts';
import type { TenantJob } from './tenant-job.ts';

export interface TenantRecord {
  readonly id: string;
  /** Unique and never changed. */
  readonly slug: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** null: it is at work. */
  readonly suspendedAtMs: number | null;
  /** Names of hosts under which it alone is served, normalised and in their order. */
  readonly hosts: readonly string[];
  /** Of the whole tenant, over what the configuration says. */
  readonly limits: Limits;
  /** null: as the configuration says. */
  readonly budget: Budget | null;
  /** The same for single models within it, by the name they are asked for. */
  readonly models: Readonly<Record<string, Allowance>>;
  /** The database of its own data; null: the shared one. */
  readonly place: DataPlace | null;
  /** What is being done with its data, or was last; null: nothing ever was. */
  readonly job: TenantJob | null;
  /** null: it is there. */
  readonly erasedAtMs: number | null;
}

export type TenantPatch = Partial<Omit<TenantRecord, 'id' | 'slug' | 'createdAtMs'>>;

export interface TenantChanges {
  /** Every tenant changed after the version asked for. */
  readonly tenants: readonly TenantRecord[];
  readonly version: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface TenantRepository {
  /** Throws `conflict` where the slug (field `slug`) or a host (field `hosts`) is taken. */
  insert(record: TenantRecord): Promise<void>;
  get(slug: string): Promise<TenantRecord | null>;
  list(page: {
    readonly limit: number;
    readonly afterSlug: string | null;
  }): Promise<readonly TenantRecord[]>;
  /** The changed record; null when there is no such tenant. Throws `conflict` (field `hosts`). */
  update(slug: string, patch: TenantPatch): Promise<TenantRecord | null>;
  /**
   * The same, with what `change` makes of the record as it is: nobody changes it in between.
   * `change` answers null for nothing, and then so does this; it may be asked more than once.
   */
  modify(
    slug: string,
    change: (record: TenantRecord) => TenantPatch | null,
  ): Promise<TenantRecord | null>;
  /** Version 0 answers every tenant. */
  changedSince(version: number): Promise<TenantChanges>;
}
