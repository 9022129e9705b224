/**
 * One stream for several readers: each is given all of it from the first frame on, whenever it
 * came, and at its own pace.
 *
 * 1. The source is asked for the next frame when the fastest reader has read all others. The
 *    payer is never left behind: the source waits for it.
 * 2. Frames are held once for all readers, up to a bound. While that is the whole stream, others
 *    may join and the answer may be kept; later what all have read is let go, and a reader that
 *    falls behind what is held is cut with an error.
 * 3. A reader leaves with its signal. When the last has left, the source is aborted with that
 *    reason, and nobody joins any more.
 * 4. The payer's frames account for all that was produced, also behind its client's back: while
 *    others read on, it stays, and its frames say that nobody is given them (`unread`).
 */
import type { FinishReason, StreamFrame } from '../model/answer.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Usage } from '../model/usage.ts';
import { FrameWindow } from './frame-window.ts';

export interface SharedStreamBounds {
  readonly maxBytes: number;
  readonly maxFrames?: number;
  readonly maxReaders?: number;
}

/** How a stream ended, and all that it came to. */
export interface StreamEnding {
  /** null where it broke. */
  readonly terminal: Buffer | null;
  readonly error: GatewayError | null;
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
  readonly producedCharacters: number;
}

/** All of a stream that ended well and was short enough to be held. */
export interface WholeStream {
  readonly bytes: Buffer;
  readonly terminal: Buffer;
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
}

export type StreamReader = AsyncIterableIterator<StreamFrame>;

const MAX_FRAMES = 65_536;
const MAX_READERS = 10_000;
const NOTHING = Buffer.alloc(0);

const UNREAD: StreamFrame = {
  ...{ bytes: NOTHING, terminal: null, producedCharacters: 0, usage: null, finishReasons: [] },
  unread: true,
};

interface Place {
  /** Number of the frame that it reads next. */
  at: number;
  readonly signal: AbortSignal;
  readonly leave: () => void;
}

export class SharedStream {
  /** Resolves when nobody can join any more: it ended, grew too long, or was given up. */
  readonly closed: Promise<void>;
  readonly ended: Promise<StreamEnding>;
  readonly #abort: AbortController;
  readonly #maxReaders: number;
  readonly #complete: (whole: WholeStream) => void;
  readonly #close: () => void;
  readonly #end: (ending: StreamEnding) => void;
  readonly #window: FrameWindow;
  readonly #places = new Set<Place>();
  readonly #totals = {
    usage: null as Usage | null,
    finishReasons: [] as FinishReason[],
    producedCharacters: 0,
  };
  #payer: Place | null = null;
  #isWhole = true;
  #ending: StreamEnding | null = null;
  /** Resolves for the readers when there is something new for them. */
  #news = Promise.withResolvers<void>();
  /** Resolves for the source when it may have to go on. */
  #demand = Promise.withResolvers<void>();

  /**
   * Starts to read `source`, which heeds `abort`. `complete` is called with the whole stream
   * when its end marker has come, before any reader is given it.
   */
  constructor(
    source: AsyncIterable<StreamFrame>,
    abort: AbortController,
    { maxBytes, maxFrames = MAX_FRAMES, maxReaders = MAX_READERS }: SharedStreamBounds,
    complete: (whole: WholeStream) => void,
  ) {
    const closed = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<StreamEnding>();
    this.closed = closed.promise;
    this.ended = ended.promise;
    this.#close = closed.resolve;
    this.#end = ended.resolve;
    this.#abort = abort;
    this.#maxReaders = maxReaders;
    this.#window = new FrameWindow(maxBytes, maxFrames);
    this.#complete = complete;
    const stop = (): void => {
      this.#close();
      this.#demand.resolve();
    };
    abort.signal.addEventListener('abort', stop, { once: true });
    void this.#pump(source);
  }

  /** A reader of all of it; null where it cannot be joined any more. */
  open(signal: AbortSignal): StreamReader | null {
    const isBroken = this.#abort.signal.aborted || (this.#ending?.error ?? null) !== null;
    const isBarred = signal.aborted || this.#places.size >= this.#maxReaders;
    if (!this.#isWhole || isBroken || isBarred) return null;
    return this.#read(this.#place(signal));
  }

  /** The frames of whoever pays for it; asked for once, before anyone joins. */
  pay(signal: AbortSignal): AsyncGenerator<StreamFrame> {
    this.#payer = this.#place(signal);
    return this.#paid(this.#read(this.#payer), signal);
  }

  /** The bytes that have come, or null where not all of them are held any more. */
  soFar(): readonly Buffer[] | null {
    return this.#isWhole ? this.#window.pieces() : null;
  }

  #place(signal: AbortSignal): Place {
    const leave = (): void => {
      signal.removeEventListener('abort', leave);
      this.#places.delete(place);
      if (this.#places.size === 0 && this.#ending === null) {
        this.#abort.abort(signal.reason ?? new GatewayError('client_closed'));
      }
      this.#demand.resolve();
      this.#stirReaders();
    };
    const place: Place = { at: 0, signal, leave };
    this.#places.add(place);
    signal.addEventListener('abort', leave, { once: true });
    return place;
  }

  #read(place: Place): StreamReader {
    const reader: StreamReader = {
      next: () => this.#next(place),
      return: async () => {
        place.leave();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => reader,
    };
    return reader;
  }

  async #next(place: Place): Promise<IteratorResult<StreamFrame>> {
    for (;;) {
      if (place.signal.aborted) {
        place.leave();
        throw place.signal.reason;
      }
      if (!this.#places.has(place)) return { done: true, value: undefined };
      if (place.at < this.#window.first) {
        place.leave();
        throw tooSlow();
      }
      const frame = this.#window.at(place.at);
      if (frame !== undefined) {
        place.at += 1;
        this.#demand.resolve();
        return { done: false, value: frame };
      }
      if (this.#ending !== null) {
        place.leave();
        if (this.#ending.error !== null) throw this.#ending.error;
        return { done: true, value: undefined };
      }
      await this.#news.promise;
    }
  }

  async *#paid(reader: StreamReader, signal: AbortSignal): AsyncGenerator<StreamFrame> {
    let characters = 0;
    try {
      for await (const frame of reader) {
        characters += frame.producedCharacters;
        yield frame;
      }
      return;
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
    if (this.#places.size > 0) yield UNREAD;
    const { error, terminal, usage, finishReasons, producedCharacters } = await this.ended;
    const rest = producedCharacters - characters;
    yield { ...UNREAD, terminal, producedCharacters: rest, usage, finishReasons };
    if (error !== null) throw error;
  }

  async #pump(source: AsyncIterable<StreamFrame>): Promise<void> {
    let terminal: Buffer | null = null;
    let error: GatewayError | null = null;
    try {
      for await (const frame of source) {
        terminal = frame.terminal ?? terminal;
        this.#take(frame);
        while (terminal === null && !this.#mayGoOn()) await this.#nextDemand();
      }
      if (terminal === null) error = new GatewayError('upstream_truncated');
    } catch (thrown) {
      error = asGatewayError(thrown);
    }
    this.#ending = { ...this.#totals, terminal, error };
    this.#close();
    this.#end(this.#ending);
    this.#stirReaders();
  }

  #take(frame: StreamFrame): void {
    const totals = this.#totals;
    const window = this.#window;
    totals.producedCharacters += frame.producedCharacters;
    totals.usage = frame.usage ?? totals.usage;
    totals.finishReasons.push(...frame.finishReasons);
    window.push(frame);
    if (window.isFull) this.#isWhole = false;
    if (!this.#isWhole) this.#letGo();
    else if (frame.terminal !== null) {
      const bytes = Buffer.concat(window.pieces());
      this.#complete({ ...totals, bytes, terminal: frame.terminal });
    }
    this.#stirReaders();
  }

  /** Beyond the bound the slowest are left behind, but for the payer. */
  #letGo(): void {
    this.#close();
    const window = this.#window;
    const everybodyHas = Math.min(window.next, ...[...this.#places].map(({ at }) => at));
    window.shrink(everybodyHas, this.#payerAt());
  }

  /** From where on the payer has not read, if it is there. */
  #payerAt(): number {
    const payer = this.#payer;
    return payer !== null && this.#places.has(payer) ? payer.at : this.#window.next;
  }

  /** Somebody has read all frames, and there is room for the next. */
  #mayGoOn(): boolean {
    if (this.#abort.signal.aborted) return true;
    if (!this.#isWhole) this.#letGo();
    if (this.#window.isFull) return false;
    for (const { at } of this.#places) if (at >= this.#window.next) return true;
    return false;
  }

  async #nextDemand(): Promise<void> {
    this.#demand = Promise.withResolvers();
    await this.#demand.promise;
  }

  #stirReaders(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

function tooSlow(): GatewayError {
  return new GatewayError('shared_call_lost', {
    message: 'This answer was shared with others, and read too slowly to be held for this client.',
    retryable: false,
  });
}
