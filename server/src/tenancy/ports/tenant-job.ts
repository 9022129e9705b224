/**
 * Something long that is being done with the data of a tenant, one at a time: which process has
 * it, how far it is, and what came of it. Any process may go on where another was interrupted.
 */
import type { DataPlace } from './data-place.ts';

export type TenantJob = MoveJob;

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
