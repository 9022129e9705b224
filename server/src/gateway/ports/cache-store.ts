/**
 * Complete answers under a key that contains the tenant. A store that fails behaves as an
 * empty one: it answers null and counts the failure, it never throws.
 */
import type { FinishReason } from '../model/answer.ts';
import type { Wire } from '../model/target.ts';
import type { Usage } from '../model/usage.ts';

export interface CacheEntry {
  readonly dialect: Wire;
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
  /** Who answered, for the headers of a hit. */
  readonly provider: string;
  readonly providerModel: string;
  readonly storedAtMs: number;
  /** Fresh until then; kept for stale answers until `keepUntilMs`. */
  readonly freshUntilMs: number;
  readonly keepUntilMs: number;
}

export interface CacheStore {
  /** `tier` names what answers in `cache-status`: `memory`, `redis`. */
  readonly tier: string;
  get(tenant: string, key: string): Promise<CacheEntry | null> | CacheEntry | null;
  set(tenant: string, key: string, entry: CacheEntry): Promise<void> | void;
  /** Forgets every entry of a tenant at once. Answers how many, where it is known. */
  purge(tenant: string): Promise<number | null>;
}
