/**
 * The ledger's thread as the journal sees it: the messages in which ends of the journal and
 * questions about it travel, whichever database is behind them.
 */
import type { Spending, SpendingQuestion } from '../../../gateway/ports/budget-store.ts';
import type { Nanousd } from '../../../kernel/money.ts';
import type { SegmentExtent } from '../../journal/position.ts';
import type { EngineLedger } from '../../ledger-engine.ts';
import type { WorkerClient } from './worker-client.ts';

const RECOVERY_TIMEOUT_MS = 600_000;

export class LedgerThread implements EngineLedger {
  readonly #worker: WorkerClient;
  readonly #callTimeoutMs: number;

  constructor(worker: WorkerClient, callTimeoutMs: number) {
    this.#worker = worker;
    this.#callTimeoutMs = callTimeoutMs;
  }

  advance(extents: readonly SegmentExtent[]): void {
    this.#worker.post({ kind: 'advance', extents });
  }

  async flush(extents: readonly SegmentExtent[], timeoutMs: number): Promise<void> {
    await this.#worker.call({ kind: 'flush', extents }, timeoutMs);
  }

  async spentNanousd(
    extents: readonly SegmentExtent[],
    scopeId: string,
    sinceMs: number,
  ): Promise<Nanousd> {
    const call = { kind: 'spent', extents, scopeId, sinceMs } as const;
    return (await this.#worker.call(call, this.#callTimeoutMs)) as Nanousd;
  }

  async spending(question: SpendingQuestion): Promise<Spending> {
    const call = { kind: 'spending', question } as const;
    return (await this.#worker.call(call, this.#callTimeoutMs)) as Spending;
  }

  async retireJournal(): Promise<void> {
    await this.#worker.call({ kind: 'retire' }, this.#callTimeoutMs);
  }

  async recover(): Promise<boolean> {
    return (await this.#worker.call({ kind: 'recover' }, RECOVERY_TIMEOUT_MS)) === true;
  }
}
