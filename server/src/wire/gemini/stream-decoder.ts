/**
 * Reads a stream of this wire, while its bytes pass through or as canonical chunks.
 *
 * 1. Every event is parsed, so that a garbled one is noticed; none is written anew towards
 *    clients of this dialect. For those that read one JSON list, the events become its items.
 * 2. This wire has no end marker. Once every candidate has ended, the last event is held back
 *    until the next or until the body ends; then it is the terminal one.
 * 3. The outcome is the same however the bytes are cut.
 * 4. A body that ends before every candidate has, or within an event, is truncated.
 *
 * What a problem means (a coded error) is decided by the caller.
 */
import { isJsonArray, isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { SseRecord } from '../../kernel/sse.ts';
import { BoundedEvents, type StreamLimits } from '../bounded-events.ts';
import type { DecodedFrame, FinishReason, FrameDecoder, ProviderUsage } from '../decoded.ts';
import type { AnswerContext } from './decode/answer.ts';
import { finishReasonsOf } from './decode/answer.ts';
import { ChunkDecoder, charactersOf } from './decode/chunk.ts';
import { EventFramer } from './framing.ts';
import { errorOfText, readError } from './read-error.ts';
import { StreamCandidates } from './stream-candidates.ts';
import type { Chunk, Framing, StreamProblem } from './types.ts';
import { decodeUsage } from './usage.ts';

export interface StreamDecoderOptions extends StreamLimits<StreamProblem> {
  /** As canonical chunks, or null: as bytes in this framing. */
  readonly chunks: AnswerContext | null;
  readonly framing: Framing;
}

/** What one event becomes. */
interface Said {
  readonly bytes: Buffer;
  readonly chunk: Chunk | null;
}

const NO_BYTES = Buffer.alloc(0);

export function createStreamDecoder(options: StreamDecoderOptions): FrameDecoder {
  return new Decoder(options);
}

class Decoder implements FrameDecoder {
  readonly #options: StreamDecoderOptions;
  readonly #events: BoundedEvents;
  readonly #framer: EventFramer;
  readonly #chunks: ChunkDecoder | null;
  readonly #candidates = new StreamCandidates();
  #held: Said[] = [];
  #lastUsage: ProviderUsage | null = null;
  // What the events since the last frame said.
  #characters = 0;
  #usage: ProviderUsage | null = null;
  #reasons: FinishReason[] = [];

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#events = new BoundedEvents(options);
    this.#framer = new EventFramer(options.framing);
    this.#chunks = options.chunks === null ? null : new ChunkDecoder(options.chunks);
  }

  push(chunk: Buffer): DecodedFrame | null {
    const said: Said[] = [];
    for (const record of this.#events.push(chunk)) this.#release(record, said);
    return said.every(isNothing) ? null : this.#frame(said, null);
  }

  end(): DecodedFrame | null {
    const said: Said[] = [];
    const rest = this.#events.end();
    if (rest !== null) this.#release(this.#closed(rest), said);
    if (!this.#candidates.allEnded) {
      const message = 'The stream ended before the answer did.';
      throw this.#options.fail({ kind: 'truncated', message });
    }
    return this.#frame(said, this.#held);
  }

  /** Takes one event; what is free to leave is added to `said`. */
  #release(record: SseRecord, said: Said[]): void {
    const isNews = record.data !== null;
    if (isNews) {
      said.push(...this.#held);
      this.#held = [];
    }
    const taken = this.#take(record);
    if (this.#candidates.allEnded) this.#held.push(taken);
    else said.push(taken);
  }

  /** The event that the body ended in, closed as it should have been. */
  #closed(rest: SseRecord): SseRecord {
    const text = rest.bytes.toString('utf8');
    if (rest.data === null && /^(?::|[\r\n]*$)/.test(text)) return { ...rest, bytes: NO_BYTES };
    if (rest.data === null || parseJson(rest.data) === undefined) {
      const message = 'The stream ended within an event.';
      throw this.#options.fail({ kind: 'truncated', message });
    }
    const missing = Buffer.from(text.endsWith('\n') ? '\n' : '\n\n');
    return { ...rest, bytes: Buffer.concat([rest.bytes, missing]) };
  }

  #take({ data, event: kind, bytes }: SseRecord): Said {
    if (data === null) return { bytes: this.#passes ? bytes : NO_BYTES, chunk: null };
    const event = parseJson(data);
    const error = readError(event) ?? (kind === 'error' ? errorOfText(data) : null);
    if (error !== null) throw this.#options.fail({ kind: 'error_event', error });
    if (!isJsonObject(event) || !(event.candidates == null || isJsonArray(event.candidates))) {
      const message = 'An event of the stream is not an answer.';
      throw this.#options.fail({ kind: 'garbled', message });
    }
    this.#read(event);
    const chunk = this.#chunks?.take(event, data) ?? null;
    if (this.#passes) return { bytes, chunk };
    return { bytes: this.#chunks === null ? this.#framer.item(data) : NO_BYTES, chunk };
  }

  #read(event: JsonObject): void {
    if (!this.#candidates.take(event)) {
      const message = 'The stream has more candidates than any request can ask for.';
      throw this.#options.fail({ kind: 'garbled', message });
    }
    this.#characters += charactersOf(event);
    this.#usage = decodeUsage(event.usageMetadata) ?? this.#usage;
    this.#lastUsage = this.#usage ?? this.#lastUsage;
    this.#reasons.push(...finishReasonsOf(event));
  }

  /** Bytes are handed on as they came. */
  get #passes(): boolean {
    return this.#chunks === null && this.#options.framing === 'events';
  }

  #frame(said: readonly Said[], last: readonly Said[] | null): DecodedFrame {
    const terminal =
      last === null ? null : Buffer.concat([...last.map(({ bytes }) => bytes), this.#end()]);
    const frame: DecodedFrame = {
      bytes: concat(said),
      terminal,
      ...(this.#chunks === null ? {} : { chunks: this.#chunksOf(said, last) }),
      producedCharacters: this.#characters,
      usage: this.#usage,
      finishReasons: this.#reasons,
    };
    this.#characters = 0;
    this.#usage = null;
    this.#reasons = [];
    return frame;
  }

  #end(): Buffer {
    return this.#chunks === null ? this.#framer.end() : NO_BYTES;
  }

  #chunksOf(said: readonly Said[], last: readonly Said[] | null): readonly Chunk[] {
    const chunks = [...said, ...(last ?? [])].flatMap(({ chunk }) =>
      chunk === null ? [] : [chunk],
    );
    const usage = last === null ? null : this.#lastUsage;
    if (usage !== null && this.#chunks !== null) chunks.push(this.#chunks.usage(usage));
    return chunks;
  }
}

/** A comment says nothing in a list or to clients of another dialect. */
function isNothing({ bytes, chunk }: Said): boolean {
  return bytes.length === 0 && chunk === null;
}

function concat(said: readonly Said[]): Buffer {
  const [first] = said;
  if (first !== undefined && said.length === 1) return first.bytes;
  return Buffer.concat(said.map(({ bytes }) => bytes));
}
