/**
 * The steps of which erasing a tenant is made, beside its own data. Each may be done again.
 */

export type Removed = Readonly<Record<string, number>>;

/** All methods throw `storage_unavailable`. */
export interface TenantEraser {
  /** Keys and people are nobody any more, without anything personal; every process hears of it. */
  scrub(slug: string, nowMs: number): Promise<void>;
  /**
   * Takes away rows of keys, people, their sessions and invitations, and hosts. Answers how
   * many of each.
   */
  remove(slug: string): Promise<Removed>;
  /**
   * `keep`: figures stay, of keys and people that nobody can tell any more, without what
   * clients sent along. `erase`: they go. Answers how many rows that concerned.
   */
  ledger(slug: string, how: 'keep' | 'erase', signal: AbortSignal): Promise<number>;
  /** Resolves when nothing of what was taken away is left in any file of the main database. */
  settle(): Promise<void>;
}
