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
  /**
   * Takes away everything of the tenant, for good, and closes: the whole database where it is
   * the tenant's alone, else its rows.
   */
  destroy(tenant: string): Promise<void>;
  /** What is under way fails; harmless the second time. Never rejects. */
  close(): Promise<void>;
}
