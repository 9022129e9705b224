/**
 * A bounded number of places for work that must not run all at once, and a bounded queue for
 * whoever waits for one. First come, first served.
 */

export interface Semaphore {
  /** Runs `work` in a place of its own; null at once where the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T> | null;
}

export function createSemaphore(places: number, waitersMax: number): Semaphore {
  const waiting: (() => void)[] = [];
  let taken = 0;

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  }

  async function enter<T>(turn: Promise<void> | null, work: () => Promise<T>): Promise<T> {
    if (turn !== null) await turn;
    try {
      return await work();
    } finally {
      leave();
    }
  }

  return {
    run(work) {
      if (taken < places) {
        taken += 1;
        return enter(null, work);
      }
      if (waiting.length >= waitersMax) return null;
      return enter(new Promise((resolve) => waiting.push(resolve)), work);
    },
  };
}
