/**
 * What the arms of an experiment did, over all processes, out of the ledger. Answers out of the
 * cache and exchanges whose client left are no evidence, and are left out.
 */
import type { ArmFigures } from '../flags/rollout.ts';

export interface ArmFiguresReader {
  /**
   * Since an instant, of the newest exchanges of each arm, a bounded number of them. Throws
   * `storage_unavailable`.
   */
  read(
    flag: string,
    sinceMs: number,
  ): Promise<{ readonly candidate: ArmFigures; readonly control: ArmFigures }>;
}
