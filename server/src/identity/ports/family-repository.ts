/**
 * Where families of refresh tokens are kept. A family is one sign-in: each of its tokens is
 * used once and replaced by the next generation. The tokens themselves are nowhere.
 */

export type FamilyEnd =
  | 'logout'
  | 'administrator'
  | 'reuse'
  | 'password'
  | 'deactivated'
  | 'displaced';

export interface FamilyRecord {
  readonly id: string;
  readonly userId: string;
  /** Of the token that may be used next. */
  readonly generation: number;
  /** Keyed hash of the client that took the current generation. */
  readonly client: string;
  /** Keyed hash of the address it signed in from. */
  readonly source: string;
  readonly createdAtMs: number;
  readonly rotatedAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
  readonly endReason: FamilyEnd | null;
}

export interface Rotation {
  readonly fromGeneration: number;
  readonly client: string;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

export interface EndedFamily {
  readonly id: string;
  readonly endedAtMs: number;
}

export interface FamilyChanges {
  readonly ended: readonly EndedFamily[];
  readonly version: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface FamilyRepository {
  /**
   * Adds a family and ends the user's oldest beyond `keep`; forgets those of the user that
   * expired before `forgetBeforeMs`.
   */
  insert(
    record: FamilyRecord,
    bounds: { readonly keep: number; readonly forgetBeforeMs: number },
  ): Promise<void>;
  get(id: string): Promise<FamilyRecord | null>;
  /** Those of a user that have neither ended nor expired, newest first. */
  livingOf(userId: string, nowMs: number): Promise<readonly FamilyRecord[]>;
  /** Moves on from exactly that generation of a living family; false where somebody was faster. */
  rotate(id: string, rotation: Rotation): Promise<boolean>;
  /** Harmless on one that has ended. */
  end(id: string, reason: FamilyEnd, nowMs: number): Promise<void>;
  /** Ends every living family of a user but the one named. */
  endAllOf(userId: string, reason: FamilyEnd, nowMs: number): Promise<void>;
  /** Whether the user has signed in from this source before. */
  knowsSource(userId: string, source: string): Promise<boolean>;
  /** Families that ended after the version asked for, and not before `endedSinceMs`. */
  endedSince(version: number, endedSinceMs: number): Promise<FamilyChanges>;
}
