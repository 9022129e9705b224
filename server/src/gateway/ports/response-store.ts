/**
 * Answers that clients may read again and go on from, until they are deleted or old. Unlike
 * bodies kept for operators these are promised: an answer's end leaves after it was kept.
 */

export interface KeptResponse {
  readonly id: string;
  readonly tenant: string;
  readonly keyId: string;
  readonly createdAtMs: number;
  /** The response that its request went on from. */
  readonly previousId: string | null;
  /** The items of its own request, a JSON list. */
  readonly input: Uint8Array;
  /** The response itself, a JSON object. */
  readonly response: Uint8Array;
}

export interface ChainLimits {
  readonly maxResponses: number;
  readonly maxBytes: number;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface ResponseStore {
  /** Resolves when it is kept; an id that is there already keeps what it has. */
  insert(response: KeptResponse): Promise<void>;
  get(tenant: string, id: string): Promise<KeptResponse | null>;
  /**
   * A response and those before it, newest first; it ends early at the first that is not there,
   * and behind the one that passes a limit.
   */
  chain(tenant: string, id: string, limits: ChainLimits): Promise<readonly KeptResponse[]>;
  /** False where there was none. */
  delete(tenant: string, id: string): Promise<boolean>;
  /**
   * Erases at most `limit` responses made before this instant, every tenant's, oldest first;
   * answers how many. Once fewer than `limit` are left to erase, nothing of them remains in any
   * file of the database.
   */
  eraseBefore(createdBeforeMs: number, limit: number): Promise<number>;
}
