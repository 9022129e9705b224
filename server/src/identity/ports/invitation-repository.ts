/**
 * Where invitations are kept: who may register, as what. Only a keyed hash of the token is.
 */
import type { Role } from '../../gateway/index.ts';

export interface InvitationRecord {
  readonly id: string;
  readonly tenant: string;
  /** null: whoever has the token. */
  readonly email: string | null;
  readonly roles: readonly Role[];
  readonly tokenHash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface InvitationRepository {
  insert(record: InvitationRecord): Promise<void>;
  find(tokenHash: string): Promise<InvitationRecord | null>;
  /** Uses it up; false where it was used already, also by a twin at the same moment. */
  use(id: string, nowMs: number): Promise<boolean>;
  /** Makes it usable again, where what it was used for did not come about. */
  giveBack(id: string): Promise<void>;
}
