/**
 * A database of one tenant: what repositories need, and its life.
 */
import type { PlaceReport } from '../../tenancy/ports/data-place.ts';
import type { Engine } from '../engine.ts';
import type { PoolStatistics } from '../ledger-engine.ts';

export interface TenantEngine extends Engine {
  /**
   * Connects and brings the tables up to date, one process at a time. Throws
   * `storage_unavailable`.
   */
  open(): Promise<void>;
  /** Connects and looks, and changes nothing. Throws what is in the way. */
  probe(): Promise<PlaceReport>;
  statistics(): PoolStatistics;
  /** Takes away everything of ours, for good, and closes. */
  destroy(): Promise<void>;
  /** What is under way fails; harmless the second time. Never rejects. */
  close(): Promise<void>;
}
