/**
 * Where users are kept. A password never comes here: only its hash, which carries its own
 * parameters.
 */
import type { Budget, Limits, Role } from '../../gateway/index.ts';

export interface UserRecord {
  readonly id: string;
  readonly tenant: string;
  /** Lower-case; one user per address over all tenants. */
  readonly email: string;
  /** As its owner writes it; unique without regard to case. */
  readonly username: string;
  /** argon2id, or bcrypt where it was imported; null: signs in elsewhere only. */
  readonly passwordHash: string | null;
  /** `issuer subject` of the single sign-on it came from; null: none. */
  readonly subject: string | null;
  readonly roles: readonly Role[];
  readonly isActive: boolean;
  readonly isVerified: boolean;
  /** null: every model. */
  readonly models: readonly string[] | null;
  readonly limits: Limits;
  readonly budget: Budget | null;
  readonly createdAtMs: number;
  readonly lastLoginAtMs: number | null;
}

export type UserPatch = Partial<
  Pick<
    UserRecord,
    | 'email'
    | 'username'
    | 'passwordHash'
    | 'subject'
    | 'roles'
    | 'isActive'
    | 'isVerified'
    | 'models'
    | 'limits'
    | 'budget'
  >
>;

/** At least one active user with one of the roles must remain; null tenant: anywhere. */
export interface MustRemain {
  readonly tenant: string | null;
  readonly roles: readonly Role[];
}

export interface UserChanges {
  /** Every user changed after the version asked for. */
  readonly users: readonly UserRecord[];
  readonly removedIds: readonly string[];
  readonly version: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface UserRepository {
  /**
   * Throws `conflict` (field `email` or `username`) where either is taken, and
   * `invalid_request` (field `tenant`) where there is no such tenant.
   */
  insert(record: UserRecord): Promise<void>;
  /** null where it is another tenant's as well; a tenant of null means any. */
  get(id: string, tenant: string | null): Promise<UserRecord | null>;
  /** By address, or by name without regard to case. */
  find(by: { readonly email: string } | { readonly username: string }): Promise<UserRecord | null>;
  findBySubject(subject: string): Promise<UserRecord | null>;
  /** Newest first; null tenant means all of them. */
  list(filter: {
    readonly tenant: string | null;
    readonly limit: number;
    readonly beforeId: string | null;
  }): Promise<readonly UserRecord[]>;
  /**
   * The changed record; null where `get` would answer null. Throws `conflict`, also where nobody
   * of `mustRemain` would remain; nothing is changed then.
   */
  update(
    id: string,
    tenant: string | null,
    patch: UserPatch,
    mustRemain?: readonly MustRemain[],
  ): Promise<UserRecord | null>;
  /** False where `get` would answer null. Its families go with it. Throws as `update` does. */
  remove(id: string, tenant: string | null, mustRemain?: readonly MustRemain[]): Promise<boolean>;
  /** Notes a sign-in; no change that a snapshot would have to hear of. */
  touch(id: string, lastLoginAtMs: number): Promise<void>;
  /** Version 0 answers every user. */
  changedSince(version: number): Promise<UserChanges>;
}
