/** Counts right and wrong answers, and resolves once none is awaited any more. */
import type { CallCounts } from '../protocol.ts';

export interface Tally {
  begin(): void;
  end(problem: string | null): void;
  /** Resolves with the counts when all that began has ended; what is missing then is an error. */
  settle(deadlineMs: number): Promise<CallCounts>;
}

export function createTally(): Tally {
  let pending = 0;
  let done = 0;
  let errors = 0;
  let firstError: string | null = null;
  let onIdle: (() => void) | null = null;
  return {
    begin() {
      pending += 1;
    },
    end(problem) {
      pending -= 1;
      if (problem === null) done += 1;
      else {
        errors += 1;
        firstError ??= problem;
      }
      if (pending === 0) onIdle?.();
    },
    async settle(deadlineMs) {
      if (pending > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, deadlineMs);
          onIdle = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const missing = pending;
      if (missing > 0) firstError ??= `${missing} not answered within ${deadlineMs} ms`;
      return { done, errors: errors + missing, firstError };
    },
  };
}
