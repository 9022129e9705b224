/**
 * Complete answers under a key that contains the tenant. A store that fails behaves as an
 * empty one: it answers null and counts the failure, it never throws (but for a purge, which
 * must not be believed when it did not happen).
 *
 * Every entry carries the generation of its tenant under which its making began. A purge puts
 * another generation in the place of the current one; entries of any other than the current
 * are as if they were not there, also those that are still on their way into the store.
 */

import type { FinishReason } from '../model/answer.ts';
import type { CacheSelection } from '../model/cache-selection.ts';
import type { Wire } from '../model/target.ts';
import type { Usage } from '../model/usage.ts';

export interface CacheEntry {
  readonly dialect: Wire;
  /** Empty for a stream: its client's request decides. */
  readonly contentType: string;
  /** The plain answer, or all events of a stream without its end marker. */
  readonly bytes: Buffer;
  /** The end marker of a stream; null: this is a plain answer. */
  readonly terminal: Buffer | null;
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
  /** Who answered, for the headers of a hit. */
  readonly provider: string;
  readonly providerModel: string;
  /** Fields of the request that it could not be told; absent: none. */
  readonly dropped?: readonly string[];
  /** Of the tenant, as the store told it before the answer was asked for. */
  readonly generation: string;
  readonly storedAtMs: number;
  /** Fresh until then; kept for stale answers until `keepUntilMs`. */
  readonly freshUntilMs: number;
  readonly keepUntilMs: number;
}

export interface CacheStore {
  /** `tier` names what answers in `cache-status`: `memory`, `redis`. */
  readonly tier: string;
  /**
   * The tenant's current generation, as far as this process knows: at most 2 s behind where
   * the store is shared, and exact after a `get` that reached it. null: not known.
   */
  generation(tenant: string): string | null;
  get(tenant: string, key: string): Promise<CacheEntry | null> | CacheEntry | null;
  /** Does nothing where the entry's generation is known not to be the current one. */
  set(tenant: string, key: string, entry: CacheEntry): Promise<void> | void;
  /**
   * Forgets every entry of a tenant at once. Answers how many, where it is known; rejects where
   * a shared store could not be told.
   */
  purge(tenant: string): Promise<number | null>;
  /** Forgets some entries of a tenant and answers how many; rejects as `purge` does. */
  remove(tenant: string, selection: CacheSelection): Promise<number>;
}

/** A store that several processes share. */
export interface SharedCacheStore extends CacheStore {
  /**
   * Calls back when the generation of a tenant is seen to have changed, at most 2 s after a
   * purge by any process; null: some entries of any tenant may be gone.
   */
  onPurge(listener: (tenant: string | null) => void): void;
}
