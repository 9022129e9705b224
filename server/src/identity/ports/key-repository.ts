/**
 * Where API keys are kept. A key's secret never comes here: only its keyed hash and the few
 * characters people recognise it by.
 */
import type { Budget, CacheUse, Limits, Role } from '../../gateway/index.ts';

export interface KeyRecord {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** First characters of the secret, for people: `esk_Ab3d…`. */
  readonly hint: string;
  /** HMAC-SHA256 of the secret under the server's pepper, hexadecimal. */
  readonly secretHash: string;
  /** Of the secret before, while both are good; null: there is none. */
  readonly previousHash: string | null;
  /** Until when it is good. */
  readonly previousUntilMs: number | null;
  readonly role: Role;
  /** Permissions it confines itself to; null: everything its role may. */
  readonly scopes: readonly string[] | null;
  /** Networks it may be used from (`192.0.2.0/24`, `2001:db8::/32`); null: any. */
  readonly addresses: readonly string[] | null;
  readonly cacheUse: CacheUse;
  readonly models: readonly string[] | null;
  readonly limits: Limits;
  readonly budget: Budget | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

export interface KeyChanges {
  /** Every key changed after the version asked for, revoked ones included. */
  readonly keys: readonly KeyRecord[];
  readonly version: number;
}

export type KeyPatch = Partial<Omit<KeyRecord, 'id' | 'tenant' | 'role' | 'createdAtMs'>>;

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface KeyRepository {
  insert(record: KeyRecord): Promise<void>;
  /** null where it is another tenant's as well; a tenant of null means any. */
  get(id: string, tenant: string | null): Promise<KeyRecord | null>;
  /** Newest first; null tenant means all of them. */
  list(filter: {
    readonly tenant: string | null;
    readonly limit: number;
    readonly beforeId: string | null;
  }): Promise<readonly KeyRecord[]>;
  /** The changed record; null where `get` would answer null. */
  update(id: string, tenant: string | null, patch: KeyPatch): Promise<KeyRecord | null>;
  /** Version 0 answers every key. */
  changedSince(version: number): Promise<KeyChanges>;
}
