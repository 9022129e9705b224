/**
 * Answers for `Idempotency-Key` in the memory of this process.
 *
 * Invariants: entries and bytes of each tenant are bounded, the oldest answers go first; what
 * runs is bounded by the requests in flight and is never taken away. An answer is kept for
 * its time and no longer.
 */
import type {
  ReplayClaim,
  ReplayFinding,
  ReplayPlace,
  ReplayStore,
} from '../../gateway/ports/replay-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ReplayBounds } from '../replay-bounds.ts';

interface Kept {
  readonly fingerprint: string;
  readonly answer: Buffer;
  readonly untilMs: number;
}

interface Running {
  readonly fingerprint: string;
  readonly ended: PromiseWithResolvers<void>;
}

interface Shelf {
  /** Oldest first. */
  readonly kept: Map<string, Kept>;
  readonly running: Map<string, Running>;
  bytes: number;
}

export interface MemoryReplayStoreOptions {
  readonly clock: Clock;
  readonly bounds: () => ReplayBounds;
}

export function createMemoryReplayStore(options: MemoryReplayStoreOptions): ReplayStore {
  return new Shelves(options);
}

class Shelves implements ReplayStore {
  readonly #options: MemoryReplayStoreOptions;
  /** By tenant; an empty one is taken away. */
  readonly #shelves = new Map<string, Shelf>();

  constructor(options: MemoryReplayStoreOptions) {
    this.#options = options;
  }

  async claim({ tenant, id }: ReplayPlace, fingerprint: string): Promise<ReplayFinding> {
    const shelf = this.#shelfOf(tenant);
    this.#expire(shelf);
    const kept = shelf.kept.get(id);
    if (kept !== undefined) {
      return { kind: 'kept', fingerprint: kept.fingerprint, answer: kept.answer };
    }
    const running = shelf.running.get(id);
    if (running !== undefined) return { kind: 'running', fingerprint: running.fingerprint };
    const mine: Running = { fingerprint, ended: Promise.withResolvers<void>() };
    shelf.running.set(id, mine);
    return { kind: 'claimed', claim: this.#claimOf(tenant, shelf, id, mine) };
  }

  ended({ tenant, id }: ReplayPlace, signal: AbortSignal): Promise<void> {
    const running = this.#shelves.get(tenant)?.running.get(id);
    if (running === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void running.ended.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  async forget(tenant: string): Promise<void> {
    const shelf = this.#shelves.get(tenant);
    for (const id of shelf?.kept.keys() ?? []) if (shelf !== undefined) this.#drop(shelf, id);
  }

  #claimOf(tenant: string, shelf: Shelf, id: string, mine: Running): ReplayClaim {
    const end = (): boolean => {
      if (shelf.running.get(id) !== mine) return false;
      shelf.running.delete(id);
      mine.ended.resolve();
      return true;
    };
    return {
      keep: async (answer) => {
        if (shelf.running.get(id) !== mine) return false;
        const untilMs = this.#options.clock.monotonicMs() + this.#options.bounds().retentionMs;
        shelf.kept.set(id, { fingerprint: mine.fingerprint, answer, untilMs });
        shelf.bytes += answer.length;
        end();
        this.#shrink(shelf);
        return shelf.kept.has(id);
      },
      release: () => {
        if (end() && shelf.running.size === 0 && shelf.kept.size === 0) {
          this.#shelves.delete(tenant);
        }
      },
    };
  }

  #shelfOf(tenant: string): Shelf {
    const known = this.#shelves.get(tenant);
    if (known !== undefined) return known;
    const shelf: Shelf = { kept: new Map(), running: new Map(), bytes: 0 };
    this.#shelves.set(tenant, shelf);
    return shelf;
  }

  #expire(shelf: Shelf): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, { untilMs }] of shelf.kept) {
      if (untilMs > nowMs) return;
      this.#drop(shelf, id);
    }
  }

  #shrink(shelf: Shelf): void {
    const { maxEntries, maxBytes } = this.#options.bounds();
    for (const id of shelf.kept.keys()) {
      if (shelf.kept.size <= maxEntries && shelf.bytes <= maxBytes) return;
      this.#drop(shelf, id);
    }
  }

  #drop(shelf: Shelf, id: string): void {
    shelf.bytes -= shelf.kept.get(id)?.answer.length ?? 0;
    shelf.kept.delete(id);
  }
}
