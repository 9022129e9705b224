/**
 * Reading the ledger, for people and reports. Every query first waits until what was
 * acknowledged before it has reached the database (for at most the flush interval), so that
 * an answer's id is found as soon as the answer has been received.
 */
import type { Nanousd } from '../../kernel/money.ts';
import type { LedgerEntry } from '../model/ledger-entry.ts';

export interface LedgerFilter {
  /** null: every tenant. */
  readonly tenant: string | null;
  readonly keyId?: string;
  readonly model?: string;
  readonly provider?: string;
  readonly outcome?: LedgerEntry['outcome'];
  /** Inclusive, milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Exclusive. */
  readonly untilMs?: number;
}

export type UsageDimension = 'model' | 'provider' | 'key' | 'tenant' | 'day';

export interface UsageRow {
  /** One value per dimension asked for, in that order; null where an exchange has none. */
  readonly group: readonly (string | null)[];
  readonly requests: number;
  readonly failed: number;
  readonly cacheHits: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly costNanousd: Nanousd;
  /** Exchanges without a price, not part of the cost. */
  readonly unpriced: number;
}

export interface LedgerQueries {
  get(id: string, tenant: string | null): Promise<LedgerEntry | null>;
  /** Newest first; `beforeId` is the last id of the page before; at most `limit` rows. */
  list(
    filter: LedgerFilter,
    page: { readonly limit: number; readonly beforeId: string | null },
  ): Promise<readonly LedgerEntry[]>;
  /** Sums per group, dearest first; at most `limit` rows. */
  usage(
    filter: LedgerFilter,
    by: readonly UsageDimension[],
    limit: number,
  ): Promise<readonly UsageRow[]>;
}
