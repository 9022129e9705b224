/**
 * Something long that is being done with the data of a tenant, one at a time: which process has
 * it, how far it is, and what came of it. Any process may go on where another was interrupted.
 */
import type { DataPlace } from './data-place.ts';
import type { Removed } from './tenant-eraser.ts';

export type TenantJob = MoveJob | EraseJob;

interface JobBase {
  readonly id: string;
  readonly startedAtMs: number;
  /** null: it is not over. */
  readonly endedAtMs: number | null;
  /** What was in the way last. */
  readonly error: string | null;
  /** The process that has it, and until when unless it says so again. */
  readonly owner: string | null;
  readonly leaseUntilMs: number;
}

export interface MoveJob extends JobBase {
  readonly kind: 'move';
  /**
   * - `preparing`, `copying`: everything goes on as before.
   * - `settling`: nobody writes; what changed meanwhile is copied.
   * - `opening`: it has moved; the new place is about to take rows.
   * - `clearing`: everything goes on there; what is left at the old place is taken away.
   * - `failed`: given up before it had moved.
   */
  readonly step: 'preparing' | 'copying' | 'settling' | 'opening' | 'clearing' | 'done' | 'failed';
  readonly from: DataPlace | null;
  readonly to: DataPlace | null;
  readonly rows: number;
}

export interface EraseJob extends JobBase {
  readonly kind: 'erase';
  /**
   * - `stopping`: nobody of the tenant is let in any more, and processes hear of it.
   * - `removing`: what is the tenant's is taken away.
   */
  readonly step: 'stopping' | 'removing' | 'done';
  /** `keep`: figures stay, without what could tell persons apart. */
  readonly ledger: 'keep' | 'erase';
  readonly removed: Removed;
  /** Who asked for it, as the audit log names them. */
  readonly actor: string;
}
