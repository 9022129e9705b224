/**
 * What was asked and answered, kept beside the ledger while an operator wants it. Bodies live
 * apart from everything else: no journal, list, log or meter ever holds one.
 *
 * Keeping them is a convenience and never delays or fails an exchange: where it cannot be done
 * in time it is not done, and counted.
 */

/** The beginning of a body, as bytes: they need not be text. */
export interface KeptBody {
  readonly bytes: Uint8Array;
  /** It went on. */
  readonly truncated: boolean;
}

export interface KeptBodies {
  readonly requestId: string;
  readonly tenant: string;
  readonly createdAtMs: number;
  /** As the client sent it; null where it was not read, or is no request. */
  readonly request: KeptBody | null;
  /** As the client was given it; null where it left before the first byte. */
  readonly response: KeptBody | null;
}

export interface BodyStore {
  /** Takes bodies to be written later. Never waits and never throws. */
  keep(bodies: KeptBodies): void;
  /** What was kept before the call, as far as it is written in time. */
  get(requestId: string, tenant: string): Promise<KeptBodies | null>;
  /**
   * Erases at most `limit` exchanges' bodies made before this instant, every tenant's, oldest
   * first; answers how many. Once fewer than `limit` are left to erase, nothing of them remains
   * in any file of the database. Throws `storage_unavailable`.
   */
  eraseBefore(createdBeforeMs: number, limit: number): Promise<number>;
}
