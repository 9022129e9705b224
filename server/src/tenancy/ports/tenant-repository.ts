/**
 * Where tenants are kept.
 */

export interface TenantRecord {
  readonly id: string;
  /** What keys, rows and people call it; never changes: `acme`. */
  readonly slug: string;
  readonly name: string;
  readonly createdAtMs: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface TenantRepository {
  /** Throws `conflict` when the slug is taken. */
  insert(record: TenantRecord): Promise<void>;
  get(slug: string): Promise<TenantRecord | null>;
  /** In the order of their slugs. */
  list(page: {
    readonly limit: number;
    readonly afterSlug: string | null;
  }): Promise<readonly TenantRecord[]>;
}
