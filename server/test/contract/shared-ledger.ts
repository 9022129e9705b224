/**
 * A ledger that several processes write, scripted: each has a journal of its own that reaches
 * the common rows when it is asked to, or when its process has died and somebody looks.
 */
import type {
  SharedSpending,
  Spending,
  SpendingQuestion,
} from '../../src/gateway/ports/budget-store.ts';

interface Row {
  readonly costNanousd: number;
  readonly endedAtMs: number;
}

export class SharedLedger {
  readonly #rows = new Map<string, Row>();
  readonly #journals = new Map<string, { entries: Map<string, Row>; isDead: boolean }>();

  append(process: string, exchangeId: string, costNanousd: number): void {
    this.#journal(process).entries.set(exchangeId, { costNanousd, endedAtMs: Date.now() });
  }

  die(process: string): void {
    this.#journal(process).isDead = true;
  }

  #apply(process: string): void {
    const { entries } = this.#journal(process);
    for (const [id, row] of entries) this.#rows.set(id, row);
    entries.clear();
  }

  /** Of everything recorded, wherever it is. */
  total(): number {
    const journals = [...this.#journals.values()];
    return sum(this.#rows.values()) + sum(journals.flatMap(({ entries }) => [...entries.values()]));
  }

  historyOf(process: string): SharedSpending {
    return {
      settled: async () => {
        const { entries } = this.#journal(process);
        const marked = [...entries];
        await turns(3);
        for (const [id, row] of marked) {
          this.#rows.set(id, row);
          entries.delete(id);
        }
      },
      spending: async ({ endedSinceMs }: SpendingQuestion): Promise<Spending> => {
        await turns(2);
        for (const [name, { isDead }] of this.#journals) if (isDead) this.#apply(name);
        const recent = [...this.#rows].filter(([, row]) => row.endedAtMs >= endedSinceMs);
        const spending = {
          spentNanousd: sum(this.#rows.values()),
          recentIds: recent.map(([id]) => id),
        };
        await turns(2);
        return spending;
      },
    };
  }

  #journal(process: string) {
    const known = this.#journals.get(process);
    if (known !== undefined) return known;
    const journal = { entries: new Map<string, Row>(), isDead: false };
    this.#journals.set(process, journal);
    return journal;
  }
}

function sum(rows: Iterable<Row>): number {
  let total = 0;
  for (const { costNanousd } of rows) total += costNanousd;
  return total;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((done) => setImmediate(done));
}
