/**
 * The ledger as a budget store sees it, scripted: sums per scope, read at the moment of the
 * call as the port promises, answered when the test lets them.
 */
import { GatewayError } from '../../src/gateway/model/errors.ts';
import type {
  SharedSpending,
  Spending,
  SpendingHistory,
  SpendingQuestion,
} from '../../src/gateway/ports/budget-store.ts';
import { until } from '../support/until.ts';

export class FakeLedger implements SpendingHistory, SharedSpending {
  readonly spent = new Map<string, number>();
  readonly loads: { readonly id: string; readonly sinceMs: number }[] = [];
  failing = false;
  /** What a scope spent since an instant; by default the sum in `spent`, whatever the instant. */
  spentSince = (id: string, _sinceMs: number): number => this.spent.get(id) ?? 0;
  #gate: Promise<void> = Promise.resolve();
  #open = (): void => undefined;

  async spentNanousd(id: string, sinceMs: number): Promise<number> {
    this.loads.push({ id, sinceMs });
    const sum = this.spentSince(id, sinceMs);
    const isFailing = this.failing;
    await this.#gate;
    if (isFailing) throw new GatewayError('budget_unavailable');
    return sum;
  }

  /** Everything appended is where everybody sees it. */
  settled(): Promise<void> {
    return Promise.resolve();
  }

  async spending({ scopeId, sinceMs }: SpendingQuestion): Promise<Spending> {
    return { spentNanousd: await this.spentNanousd(scopeId, sinceMs), recentIds: [] };
  }

  append(id: string, cost: number): void {
    this.spent.set(id, (this.spent.get(id) ?? 0) + cost);
  }

  /** Answers nothing until `release`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#open();
  }

  async asked(times: number): Promise<void> {
    await until(`${times} loads`, () => this.loads.length >= times);
  }
}
