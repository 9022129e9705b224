/**
 * Looks at the object storage at start and then at intervals, and remembers what it saw last.
 * One look at a time; each ends with its own time limit.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { BucketProbe, BucketVerdict } from '../ports/bucket-probe.ts';

export interface BucketWatch {
  /** Looks now. Never rejects. */
  probe(signal: AbortSignal): Promise<BucketVerdict>;
  /** What was seen last; null before the first look. */
  last(): BucketVerdict | null;
  close(): Promise<void>;
}

export interface BucketWatchOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
}

export function watchBucket(
  probe: BucketProbe,
  { clock, intervalMs }: BucketWatchOptions,
): BucketWatch {
  const closing = new AbortController();
  let last: BucketVerdict | null = null;
  let timer: Timer | null = null;

  async function look(signal: AbortSignal): Promise<BucketVerdict> {
    const seen = await probe.probe(AbortSignal.any([signal, closing.signal]));
    if (!closing.signal.aborted) last = seen;
    return seen;
  }

  function wait(): void {
    if (closing.signal.aborted) return;
    timer = clock.setTimer(intervalMs, () => void look(closing.signal).then(wait));
  }

  wait();
  return {
    probe: look,
    last: () => last,
    close() {
      closing.abort();
      timer?.cancel();
      return probe.close();
    },
  };
}
