/**
 * Whose password hash was imported and not yet replaced, and the cost of the dearest of them.
 */
import { importedCost } from './imported.ts';

export interface ImportedCosts {
  /** null: the user has none any more. */
  note(userId: string, hash: string | null): void;
  /** null: nobody has one. */
  dearest(): number | null;
}

/** Beyond `max` users nobody is noted any more. */
export function createImportedCosts(max: number): ImportedCosts {
  const costs = new Map<string, number>();
  const users = new Map<number, number>();

  function count(cost: number, by: 1 | -1): void {
    const counted = (users.get(cost) ?? 0) + by;
    if (counted > 0) users.set(cost, counted);
    else users.delete(cost);
  }

  return {
    note(userId, hash) {
      const before = costs.get(userId);
      if (before !== undefined) count(before, -1);
      costs.delete(userId);
      const cost = importedCost(hash);
      if (cost === null || costs.size >= max) return;
      costs.set(userId, cost);
      count(cost, 1);
    },
    dearest: () => (users.size === 0 ? null : Math.max(...users.keys())),
  };
}
