/**
 * Reads a stream of OpenAI's chat or legacy completions while its bytes pass through.
 *
 * 1. Every event is parsed, so that a garbled one is noticed; none is written anew.
 * 2. Held back are the usage chunk that the client did not ask for, the end marker (handed out
 *    apart) and whatever follows it. All other bytes are forwarded as they came.
 * 3. The outcome is the same however the bytes are cut: what `push` and `end` returned, joined,
 *    is one text. Only where a call throws are the events of its own chunk lost.
 * 4. A body that ends without the marker is complete only when every choice has ended.
 * 5. For a client of another dialect the parsed chunks are handed out instead of the bytes.
 *
 * What a problem means (a coded error) is decided by the caller.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '../../kernel/json.ts';
import type { SseRecord } from '../../kernel/sse.ts';
import { BoundedEvents, type StreamLimits } from '../bounded-events.ts';
import type { DecodedFrame, FinishReason, FrameDecoder, ProviderUsage } from '../decoded.ts';
import { canonicalAnswer } from './canonical-answer.ts';
import { decodeUsage } from './decode-usage.ts';
import { fromText, readErrorBody, readErrorMember } from './read-error.ts';
import { StreamChoices } from './stream-choices.ts';
import type { StreamProblem } from './types.ts';

export interface StreamDecoderOptions extends StreamLimits<StreamProblem> {
  /** Keeps the usage chunk; it is removed otherwise. */
  readonly forwardUsage: boolean;
  /** Hands out chunks in place of bytes, that of the usage included. */
  readonly asChunks: boolean;
}

const DONE = '[DONE]';
const DONE_EVENT = `data: ${DONE}\n\n`;
const NO_BYTES = Buffer.alloc(0);
const NO_REASONS: readonly FinishReason[] = [];

export function createStreamDecoder(options: StreamDecoderOptions): FrameDecoder {
  return new Decoder(options);
}

class Decoder implements FrameDecoder {
  readonly #options: StreamDecoderOptions;
  readonly #events: BoundedEvents;
  readonly #choices = new StreamChoices();
  #done = false;
  // What the events of the current call said.
  #characters = 0;
  #usage: ProviderUsage | null = null;
  #reasons: FinishReason[] | null = null;
  #chunks: JsonObject[] = [];

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#events = new BoundedEvents(options);
  }

  push(chunk: Buffer): DecodedFrame | null {
    if (this.#done) return null;
    const records = this.#events.push(chunk);
    if (records.length === 0) return null;
    if (this.#options.asChunks) return this.#takeAll(records);
    let kept: Buffer[] | null = null; // null while every record so far is forwarded
    let terminal: Buffer | null = null;
    for (let i = 0; i < records.length; i += 1) {
      const record = records[i] as SseRecord;
      const forward = this.#take(record);
      if (forward) kept?.push(record.bytes);
      else kept ??= records.slice(0, i).map((earlier) => earlier.bytes);
      if (this.#done) {
        terminal = record.bytes;
        break;
      }
    }
    return this.#frame(kept === null ? joined(records, chunk) : concat(kept), terminal);
  }

  /** Null where the records say nothing: comments alone. */
  #takeAll(records: readonly SseRecord[]): DecodedFrame | null {
    for (const record of records) {
      this.#take(record);
      if (this.#done) return this.#frame(NO_BYTES, record.bytes);
    }
    return this.#chunks.length === 0 ? null : this.#frame(NO_BYTES, null);
  }

  end(): DecodedFrame | null {
    if (this.#done) return null;
    const rest = this.#events.end();
    const bytes = rest === null ? NO_BYTES : this.#takeRest(rest);
    const marked = this.#done;
    if (!marked && !this.#choices.allEnded) {
      throw this.#fail({ kind: 'truncated', message: 'The stream ended before the answer did.' });
    }
    this.#done = true;
    return this.#frame(marked ? NO_BYTES : bytes, marked ? bytes : Buffer.from(DONE_EVENT));
  }

  /** The event that the body ended in, closed as it should have been. */
  #takeRest(rest: SseRecord): Buffer {
    const text = rest.bytes.toString('utf8');
    const isComment = rest.data === null && /^(?::|[\r\n]*$)/.test(text);
    const isPartOfMarker = DONE_EVENT.startsWith(text.trimEnd());
    if (isComment || (isPartOfMarker && this.#choices.allEnded)) return NO_BYTES;
    if (rest.data === null || (rest.data !== DONE && parseJson(rest.data) === undefined)) {
      throw this.#fail({ kind: 'truncated', message: 'The stream ended within an event.' });
    }
    const forward = this.#take(rest);
    if (!forward && !this.#done) return NO_BYTES;
    return Buffer.concat([rest.bytes, Buffer.from(text.endsWith('\n') ? '\n' : '\n\n')]);
  }

  /** Reads one event; true when its bytes are to be forwarded. */
  #take(record: SseRecord): boolean {
    const { data } = record;
    if (data === null) return true; // a comment, or a field of its own
    if (data.startsWith(DONE) && data.trim() === DONE) {
      if (!this.#choices.seen) {
        throw this.#fail({ kind: 'garbled', message: 'The stream ended without any choice.' });
      }
      this.#done = true;
      return false;
    }
    const chunk = parseJson(data);
    if (record.event === 'error') {
      throw this.#fail({ kind: 'error_event', error: readErrorBody(chunk) ?? fromText(data) });
    }
    if (!isJsonObject(chunk)) {
      throw this.#fail({
        kind: 'garbled',
        message: 'An event of the stream is not a JSON object.',
      });
    }
    const error = readErrorMember(chunk);
    if (error !== null) throw this.#fail({ kind: 'error_event', error });
    if (chunk.usage != null) this.#usage = decodeUsage(chunk.usage) ?? this.#usage;
    if (this.#options.asChunks) this.#collect(chunk);
    const { choices } = chunk;
    if (!isJsonArray(choices) && choices != null) {
      throw this.#fail({ kind: 'garbled', message: 'A chunk has choices that are not a list.' });
    }
    if (choices == null || choices.length === 0) {
      return chunk.usage == null || this.#options.forwardUsage;
    }
    this.#takeChoices(choices);
    return true;
  }

  /** What has neither choices nor usage (a vendor's own notes) is nothing to other dialects. */
  #collect(chunk: JsonObject): void {
    const { choices, usage } = chunk;
    if (usage == null && !(isJsonArray(choices) && choices.length > 0)) return;
    this.#chunks.push(canonicalAnswer({ ...chunk, choices: choices ?? [] }));
  }

  #takeChoices(choices: readonly JsonValue[]): void {
    for (const choice of choices) {
      const said = this.#choices.take(choice);
      if (said === null) {
        throw this.#fail({ kind: 'garbled', message: 'A chunk has a choice that is not one.' });
      }
      this.#characters += said.characters;
      if (said.reason !== null) {
        this.#reasons ??= [];
        this.#reasons.push(said.reason);
      }
    }
  }

  #frame(bytes: Buffer, terminal: Buffer | null): DecodedFrame {
    const { asChunks } = this.#options;
    const frame: DecodedFrame = {
      bytes: asChunks ? NO_BYTES : bytes,
      terminal,
      ...(asChunks ? { chunks: this.#chunks } : {}),
      producedCharacters: this.#characters,
      usage: this.#usage,
      finishReasons: this.#reasons ?? NO_REASONS,
    };
    this.#characters = 0;
    this.#usage = null;
    this.#reasons = null;
    this.#chunks = [];
    return frame;
  }

  #fail(problem: StreamProblem): Error {
    return this.#options.fail(problem);
  }
}

/** The records' bytes as one buffer: the chunk itself where they are all of it. */
function joined(records: readonly SseRecord[], chunk: Buffer): Buffer {
  const first = (records[0] as SseRecord).bytes;
  if (records.length === 1) return first;
  let bytes = 0;
  for (const record of records) bytes += record.bytes.length;
  const fromChunk = first.buffer === chunk.buffer && first.byteOffset === chunk.byteOffset;
  if (fromChunk) return bytes === chunk.length ? chunk : chunk.subarray(0, bytes);
  return concat(records.map((record) => record.bytes));
}

function concat(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}
