/**
 * One row of the ledger: what an exchange was, how it ended and what it cost. Written to the
 * journal before the answer's last byte leaves; never changed afterwards; holds no prompt and
 * no answer.
 */
import type { Nanousd } from '../../kernel/money.ts';
import type { ErrorCode } from './errors.ts';
import type { Dialect, Operation } from './target.ts';
import type { Usage } from './usage.ts';

/**
 * - `completed`: the client was given a complete answer.
 * - `failed`: the provider or the gateway failed, before or within the answer.
 * - `aborted`: the client left.
 * - `rejected`: refused before any provider was called.
 */
export type Outcome = 'completed' | 'failed' | 'aborted' | 'rejected';

export type CacheStatus = 'HIT' | 'MISS' | 'STALE' | 'JOIN' | 'BYPASS';

export interface LedgerEntry {
  /** The `x-request-id` of the answer; rising with time. */
  readonly id: string;
  readonly createdAtMs: number;
  readonly tenant: string;
  readonly keyId: string;
  readonly correlationId: string;
  readonly dialect: Dialect;
  readonly operation: Operation;
  /** The model as asked for. */
  readonly model: string;
  /** The provider and its model that answered, or were tried last; null before any call. */
  readonly provider: string | null;
  readonly providerModel: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly outcome: Outcome;
  readonly errorCode: ErrorCode | null;
  readonly cache: CacheStatus;
  readonly attempts: number;
  readonly usage: Usage;
  /** null: unpriced, which is an alarm and not zero. */
  readonly costNanousd: Nanousd | null;
  readonly priceId: string | null;
  readonly durationMs: number;
  readonly firstTokenMs: number | null;
  /** Generation of the configuration the exchange ran under. */
  readonly configGeneration: number;
  /** Of an experiment: `flag/candidate` or `flag/control`; absent or null: there was none. */
  readonly arm?: string | null;
  /** The operator's that stood before it: `name@version#digest`; absent or null: none did. */
  readonly prompt?: string | null;
}
