/**
 * How long targets take, as far as this process has seen: for each target the time to the first
 * token of streams and the time of whole plain answers, kept apart because they do not compare.
 *
 * The figure is a peak-sensitive moving average (peak EWMA): a slower call counts at once and in
 * full, quicker ones win it back over the decay time, and silence lets it fade, so that a target
 * once slow is tried again. A call that still waits counts as long as it has waited. A failure
 * counts as the longest wait that the target is allowed.
 *
 * Bounded by targets and by calls in flight; reading changes nothing.
 */
import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Clock } from '../../kernel/clock.ts';
import { LinkedList } from '../../kernel/linked-list.ts';
import type { Target } from '../model/target.ts';

export interface TimedCall {
  readonly target: Target;
  /** On the monotonic clock. */
  readonly startedMs: number;
}

/**
 * - `answered`: the first piece of a stream came, or the whole of a plain answer.
 * - `failed`: for a reason that is the target's.
 * - `left`: the client did not wait; it took at least so long.
 * - `void`: says nothing of the target's speed.
 */
export type TimedEnd = 'answered' | 'failed' | 'left' | 'void';

export interface LatencyRecorder {
  /** What it answers is to be called once, with how the call ended. */
  started(call: TimedCall, stream: boolean): (end: TimedEnd) => void;
}

export interface LatencyFigures {
  /** Milliseconds; null where nothing was ever seen. */
  expectedMs(target: Target, stream: boolean): number | null;
  /** Calls that wait for their first piece now. */
  waiting(target: Target, stream: boolean): number;
}

export interface LatencyBook extends LatencyRecorder, LatencyFigures {}

/** Names can come from clients; targets of earlier generations are forgotten. */
const MAX_TARGETS = 4096;

export function createLatencyBook(clock: Clock, decayMs: () => number): LatencyBook {
  const pages = createBoundedMap<Page>(
    MAX_TARGETS,
    ({ streams, plain }) => streams.waiting.size + plain.waiting.size === 0,
  );
  const laneOf = (target: Target, stream: boolean): Lane | undefined => {
    const page = pages.get(target.id);
    return stream ? page?.streams : page?.plain;
  };
  return {
    started(call, stream) {
      const { id } = call.target;
      const page =
        pages.get(id) ?? pages.add(id, { streams: new Lane(clock), plain: new Lane(clock) });
      const lane = stream ? page.streams : page.plain;
      const place = lane.waiting.push(call);
      return (end) => {
        place.remove();
        const elapsedMs = clock.monotonicMs() - call.startedMs;
        if (end === 'answered') lane.observe(elapsedMs, decayMs());
        if (end === 'left') lane.observeAtLeast(elapsedMs, decayMs());
        if (end === 'failed') {
          lane.observe(Math.max(elapsedMs, call.target.timeouts.firstTokenMs), decayMs());
        }
      };
    },
    expectedMs: (target, stream) => laneOf(target, stream)?.expectedMs(decayMs()) ?? null,
    waiting: (target, stream) => laneOf(target, stream)?.waiting.size ?? 0,
  };
}

interface Page {
  readonly streams: Lane;
  readonly plain: Lane;
}

class Lane {
  /** In the order in which they started. */
  readonly waiting = new LinkedList<TimedCall>();
  readonly #clock: Clock;
  #averageMs: number | null = null;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expectedMs(decayMs: number): number | null {
    if (this.#averageMs === null) return null;
    const oldest = this.waiting.first;
    const waitedMs = oldest === undefined ? 0 : this.#clock.monotonicMs() - oldest.startedMs;
    return Math.max(this.#averageMs * this.#keep(decayMs), waitedMs);
  }

  observe(elapsedMs: number, decayMs: number): void {
    const keep = this.#keep(decayMs);
    const faded = (this.#averageMs ?? 0) * keep;
    this.#averageMs = elapsedMs >= faded ? elapsedMs : faded + elapsedMs * (1 - keep);
    this.#atMs = this.#clock.monotonicMs();
  }

  observeAtLeast(elapsedMs: number, decayMs: number): void {
    const faded = (this.#averageMs ?? 0) * this.#keep(decayMs);
    if (elapsedMs > faded) this.observe(elapsedMs, decayMs);
  }

  /** The share of the average that is left. */
  #keep(decayMs: number): number {
    return Math.exp(-(this.#clock.monotonicMs() - this.#atMs) / decayMs);
  }
}
