/**
 * Reads the stream of one message: its bytes pass through for clients of this dialect, or its
 * events become canonical chunks for others.
 *
 * 1. Every event is parsed, so that a garbled one is noticed; none is written anew.
 * 2. `message_stop` is the end, handed out apart; what follows it is dropped.
 * 3. The outcome is the same however the bytes are cut: what `push` and `end` returned, joined,
 *    is one text and one list of chunks. Only where a call throws are its own events lost.
 * 4. A body that ends without `message_stop` is truncated, whatever came before.
 *
 * What a problem means (a coded error) is decided by the caller.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { SseRecord } from '../../kernel/sse.ts';
import { BoundedEvents, type StreamLimits } from '../bounded-events.ts';
import type { DecodedFrame, FinishReason, FrameDecoder } from '../decoded.ts';
import { numberOf, objectOf, textOf } from '../values.ts';
import { readError } from './read-error.ts';
import { readStopReason } from './stop-reason.ts';
import { StreamChunks, type StreamFacts } from './stream-chunks.ts';
import type { ChunkBody, StreamProblem } from './types.ts';
import { readUsage, type TokenCounts, toProviderUsage } from './usage.ts';

type Frame = DecodedFrame<ChunkBody>;

export interface StreamDecoderOptions extends StreamLimits<StreamProblem> {
  /** To translate into chunks; null: the bytes pass through. */
  readonly translate: StreamFacts | null;
}

const NO_BYTES = Buffer.alloc(0);
const END = 'message_stop';

export function createStreamDecoder(options: StreamDecoderOptions): FrameDecoder<Frame> {
  return new Decoder(options);
}

class Decoder implements FrameDecoder<Frame> {
  readonly #options: StreamDecoderOptions;
  readonly #events: BoundedEvents;
  readonly #translator: StreamChunks | null;
  #started = false;
  #done = false;
  #counts: TokenCounts | null = null;
  /** Output is only complete in the event that ends the message. */
  #countsAreFinal = false;
  // What the events of the current call said.
  #characters = 0;
  #reason: FinishReason | null = null;
  #chunks: ChunkBody[] = [];

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#events = new BoundedEvents(options);
    this.#translator = options.translate === null ? null : new StreamChunks(options.translate);
  }

  push(chunk: Buffer): Frame | null {
    if (this.#done) return null;
    const records = this.#events.push(chunk);
    if (records.length === 0) return null;
    const kept: Buffer[] = [];
    let terminal: Buffer | null = null;
    for (const record of records) {
      this.#take(record);
      if (this.#done) {
        terminal = record.bytes;
        break;
      }
      kept.push(record.bytes);
    }
    return this.#frame(kept, terminal);
  }

  end(): Frame | null {
    if (this.#done) return null;
    const rest = this.#events.end();
    const isEnd = rest?.data != null && objectOf(parseJson(rest.data)).type === END;
    if (rest === null || !isEnd) {
      throw this.#fail({ kind: 'truncated', message: 'The stream ended before the answer did.' });
    }
    this.#take(rest);
    const closing = rest.bytes.at(-1) === LF ? '\n' : '\n\n';
    return this.#frame([], Buffer.concat([rest.bytes, Buffer.from(closing)]));
  }

  #take(record: SseRecord): void {
    const { data } = record;
    if (data === null) return; // a comment, or a field of its own
    const event = parseJson(data);
    if (record.event === 'error' || objectOf(event).type === 'error') {
      const error = readError(event) ?? { type: null, message: data, code: null };
      throw this.#fail({ kind: 'error_event', error });
    }
    if (!isJsonObject(event)) {
      throw this.#fail({ kind: 'garbled', message: 'An event of the stream is no JSON object.' });
    }
    this.#read(event);
    const chunk = this.#translator?.of(event) ?? null;
    if (chunk !== null) this.#chunks.push(chunk);
    if (this.#done && this.#counts !== null && this.#translator !== null) {
      this.#chunks.push(this.#translator.usage(this.#counts));
    }
  }

  #read(event: JsonObject): void {
    if (event.type === 'message_start') {
      this.#started = true;
      this.#counts = readUsage(objectOf(event.message).usage);
    } else if (event.type === 'content_block_delta') {
      this.#characters += charactersOf(objectOf(event.delta));
    } else if (event.type === 'message_delta') {
      this.#counts = readUsage(event.usage, this.#counts);
      this.#countsAreFinal = true;
      const reason = textOf(objectOf(event.delta).stop_reason);
      if (reason !== null) this.#reason = readStopReason(reason).core;
    } else if (event.type === END) {
      if (!this.#started) {
        const message = 'The stream ended without having begun a message.';
        throw this.#fail({ kind: 'garbled', message });
      }
      this.#done = true;
    } else if (event.type === 'content_block_start') {
      this.#checkIndex(event);
    }
  }

  /** Blocks are remembered by their index until the end: it is bounded, as their number is. */
  #checkIndex(event: JsonObject): void {
    const index = numberOf(event.index);
    if (index === null || index < 0 || index > MAX_BLOCKS) {
      throw this.#fail({ kind: 'garbled', message: 'A content block has an impossible index.' });
    }
  }

  #frame(kept: readonly Buffer[], terminal: Buffer | null): Frame {
    const passes = this.#translator === null;
    const frame: Frame = {
      bytes: passes ? concat(kept) : NO_BYTES,
      terminal: passes || terminal === null ? terminal : NO_BYTES,
      ...(passes ? {} : { chunks: this.#chunks }),
      producedCharacters: this.#characters,
      usage: this.#countsAreFinal && this.#counts !== null ? toProviderUsage(this.#counts) : null,
      finishReasons: this.#reason === null ? [] : [this.#reason],
    };
    this.#characters = 0;
    this.#reason = null;
    this.#chunks = [];
    return frame;
  }

  #fail(problem: StreamProblem): Error {
    return this.#options.fail(problem);
  }
}

const LF = 0x0a;
const MAX_BLOCKS = 100_000;

function charactersOf(delta: JsonObject): number {
  const text = textOf(delta.text) ?? textOf(delta.partial_json) ?? textOf(delta.thinking);
  return text?.length ?? 0;
}

function concat(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}
