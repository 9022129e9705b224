/**
 * What waits to be exported, and the one loop that exports it in the background.
 *
 * Invariants: at most `maxSpans` wait, those on their way included; one more is dropped and
 * counted, and so is a batch that nobody takes after `MAX_TRIES`. One batch is on its way at a
 * time. Adding never waits and never throws. The log says once that exporting fails, and once
 * that it works again.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { Log } from '../../kernel/log.ts';

export type SendResult =
  /** `rejected`: so many of them the collector did not keep. */
  | { readonly kind: 'sent'; readonly rejected: number }
  /** Not now; null: after a pause of our own. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string };

export type DropReason = 'queue_full' | 'unreachable' | 'refused' | 'stopped';

export interface SpanQueueOptions<Span> {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxSpans: number;
  /** How long a span waits for others to go with. */
  readonly intervalMs: number;
  /** Never rejects, other than when the signal aborts. */
  readonly send: (batch: readonly Span[], signal: AbortSignal) => Promise<SendResult>;
  readonly sent: (count: number) => void;
  readonly dropped: (reason: DropReason, count: number) => void;
}

export interface SpanQueue<Span> {
  add(spans: readonly Span[]): void;
  /** Waiting, or on their way. */
  size(): number;
  /** Sends what waits, for so long at most; what is left then is dropped. Later spans too. */
  close(withinMs: number): Promise<void>;
}

const MAX_BATCH = 512;
const MAX_TRIES = 5;
const PAUSE_MIN_MS = 1000;
const PAUSE_MAX_MS = 30_000;

export function createSpanQueue<Span>(options: SpanQueueOptions<Span>): SpanQueue<Span> {
  return new Queue(options);
}

class Queue<Span> implements SpanQueue<Span> {
  readonly #options: SpanQueueOptions<Span>;
  readonly #batchSpans: number;
  /** Cuts pauses: whoever closes does not wait for a collector to come back. */
  readonly #closing = new AbortController();
  readonly #given = new AbortController();
  #waiting: Span[] = [];
  #onTheirWay = 0;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #failing = false;

  constructor(options: SpanQueueOptions<Span>) {
    this.#options = options;
    this.#batchSpans = Math.min(MAX_BATCH, options.maxSpans);
  }

  add(spans: readonly Span[]): void {
    if (this.#closing.signal.aborted) {
      this.#options.dropped('stopped', spans.length);
      return;
    }
    const room = this.#options.maxSpans - this.size();
    const fitting = spans.length <= room ? spans : spans.slice(0, Math.max(0, room));
    this.#waiting.push(...fitting);
    if (fitting.length < spans.length) {
      this.#options.dropped('queue_full', spans.length - fitting.length);
    }
    this.#goOn();
  }

  size(): number {
    return this.#waiting.length + this.#onTheirWay;
  }

  async close(withinMs: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    this.#closing.abort();
    const limit = this.#options.clock.setTimer(withinMs, () => this.#given.abort());
    await this.#running;
    await this.#sendAll();
    limit.cancel();
    if (this.#waiting.length > 0) this.#options.dropped('stopped', this.#waiting.length);
    this.#waiting = [];
  }

  #goOn(): void {
    if (this.#running !== null || this.#waiting.length === 0) return;
    if (this.#waiting.length >= this.#batchSpans) {
      this.#timer?.cancel();
      this.#timer = null;
      this.#start();
    } else {
      this.#timer ??= this.#options.clock.setTimer(this.#options.intervalMs, () => {
        this.#timer = null;
        this.#start();
      });
    }
  }

  #start(): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    this.#running = this.#sendOne().finally(() => {
      this.#running = null;
      if (!this.#closing.signal.aborted) this.#goOn();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#given.signal.aborted) await this.#sendOne();
  }

  async #sendOne(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#batchSpans);
    this.#onTheirWay = batch.length;
    try {
      for (let tries = 1; ; tries += 1) {
        const result = await this.#try(batch);
        if (result.kind !== 'again') return this.#settle(batch, result);
        this.#fails(result.reason);
        if (this.#closing.signal.aborted) return this.#options.dropped('stopped', batch.length);
        if (tries >= MAX_TRIES) return this.#options.dropped('unreachable', batch.length);
        const pauseMs = result.afterMs ?? PAUSE_MIN_MS * 2 ** (tries - 1);
        const pause = Math.min(pauseMs, PAUSE_MAX_MS);
        await sleep(this.#options.clock, pause, this.#closing.signal).catch(() => undefined);
      }
    } finally {
      this.#onTheirWay = 0;
    }
  }

  async #try(batch: readonly Span[]): Promise<SendResult> {
    try {
      return await this.#options.send(batch, this.#given.signal);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const kind = this.#given.signal.aborted ? 'again' : 'refused';
      return { kind, reason, afterMs: null };
    }
  }

  #settle(batch: readonly Span[], result: Exclude<SendResult, { kind: 'again' }>): void {
    const { sent, dropped, log } = this.#options;
    if (result.kind === 'refused') {
      this.#fails(result.reason);
      dropped('refused', batch.length);
      return;
    }
    const rejected = Math.min(result.rejected, batch.length);
    sent(batch.length - rejected);
    if (rejected > 0) dropped('refused', rejected);
    if (this.#failing) log.info('traces are exported again');
    this.#failing = false;
  }

  #fails(reason: string): void {
    if (!this.#failing) this.#options.log.warn('traces cannot be exported', { reason });
    this.#failing = true;
  }
}
