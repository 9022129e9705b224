/**
 * The gate before the work of one process: so many pass at once, the others wait in line by
 * tenant, for a bounded time and in bounded number.
 *
 * Invariants: a place is held from passing to leaving, once; a place that becomes free goes to
 * somebody who waits, in the very turn; who gives up leaves no place behind.
 */
import type { Clock } from '../../kernel/clock.ts';
import { FairQueue } from './fair-queue.ts';

export interface GateSettings {
  /** Most that pass at once. */
  readonly capacity: number;
  readonly maxWaiting: number;
  readonly maxWaitingPerTenant: number;
  readonly maxWaitMs: number;
}

export interface FairGate {
  /**
   * Passes, at once where there is room; rejects with `GateClosed`, or with the signal's reason
   * as soon as it aborts. Returns the way out, which is harmless the second time.
   */
  enter(tenant: string, signal: AbortSignal): Promise<() => void> | (() => void);
  waiting(): number;
}

export class GateClosed extends Error {
  readonly reason: 'line_full' | 'waited_too_long';
  /** When a request of this tenant would likely pass. */
  readonly retryAfterMs: number;

  constructor(reason: GateClosed['reason'], retryAfterMs: number) {
    super(reason);
    this.name = 'GateClosed';
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

interface Waiting {
  readonly pass: () => void;
}

const LEAST_RETRY_MS = 1000;
const MOST_RETRY_MS = 60_000;
/** Weight of the newest in the mean time that a place is held. */
const NEWEST = 0.1;

export function createFairGate(
  clock: Clock,
  settings: GateSettings,
  weightOf: (tenant: string) => number,
): FairGate {
  const queue = new FairQueue<Waiting>(weightOf);
  let heldMs = 0;

  function place(tenant: string): () => void {
    const sinceMs = clock.monotonicMs();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const lastMs = clock.monotonicMs() - sinceMs;
      heldMs = heldMs === 0 ? lastMs : heldMs + NEWEST * (lastMs - heldMs);
      queue.end(tenant);
      if (queue.running < settings.capacity) queue.next()?.pass();
    };
  }

  /** As if everyone before it were served one after the other at the pace of now. */
  function closed(reason: GateClosed['reason'], tenant: string): GateClosed {
    const ahead = queue.waitingOf(tenant) + 1;
    const expectedMs = Math.ceil((ahead * heldMs) / settings.capacity);
    const retryMs = Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, expectedMs));
    return new GateClosed(reason, retryMs);
  }

  function wait(tenant: string, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = (why: unknown): void => {
        if (!queue.remove(tenant, waiting)) return;
        done();
        reject(why);
      };
      const onAbort = (): void => leave(signal.reason);
      const timer = clock.setTimer(settings.maxWaitMs, () =>
        leave(closed('waited_too_long', tenant)),
      );
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const waiting: Waiting = {
        pass() {
          done();
          resolve(place(tenant));
        },
      };
      queue.add(tenant, waiting);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    waiting: () => queue.waiting,
    enter(tenant, signal) {
      if (queue.running < settings.capacity) {
        queue.start(tenant);
        return place(tenant);
      }
      if (signal.aborted) return Promise.reject(signal.reason);
      if (!mayWait(settings, queue, tenant)) return Promise.reject(closed('line_full', tenant));
      return wait(tenant, signal);
    },
  };
}

function mayWait(
  { maxWaiting, maxWaitingPerTenant, maxWaitMs }: GateSettings,
  queue: FairQueue<Waiting>,
  tenant: string,
): boolean {
  const hasRoom = queue.waiting < maxWaiting && queue.waitingOf(tenant) < maxWaitingPerTenant;
  return hasRoom && maxWaitMs > 0;
}
