/**
 * Reads a stream of this dialect while its bytes pass through.
 *
 * 1. Every event is parsed, so that a garbled one is noticed; none is written anew.
 * 2. The event that completes the response, or tells that it is incomplete, is the end; it is
 *    handed out apart, and whatever follows it is held back.
 * 3. One that tells that it failed is forwarded, and so ends the stream as a failure.
 * 4. The outcome is the same however the bytes are cut; only where a call throws are the events
 *    of its own chunk lost. A body that ends before such an event is cut short.
 *
 * What a problem means (a coded error) is decided by the caller.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { SseRecord } from '../../kernel/sse.ts';
import { BoundedEvents, type StreamLimits } from '../bounded-events.ts';
import type { DecodedFrame, FrameDecoder } from '../decoded.ts';
import { fromText, readErrorBody, readErrorMember } from '../openai/read-error.ts';
import type { ErrorBody, StreamProblem } from '../openai/types.ts';
import { numberOf, objectOf, textOf } from '../values.ts';
import { type ResponseFacts, readResponse } from './decode-answer.ts';

export type StreamDecoderOptions = StreamLimits<StreamProblem>;

export interface ResponsesFrame extends DecodedFrame {
  readonly sequence: number;
  /** Set on the frame whose bytes tell of it; nothing follows. */
  readonly failure?: Error;
}

const END_EVENTS = new Set(['response.completed', 'response.incomplete', 'response.failed']);
const DONE = '[DONE]';
const NOTHING: ResponseFacts = { usage: null, finishReasons: [] };

export function createStreamDecoder(options: StreamDecoderOptions): FrameDecoder<ResponsesFrame> {
  return new Decoder(options);
}

class Decoder implements FrameDecoder<ResponsesFrame> {
  readonly #options: StreamDecoderOptions;
  readonly #events: BoundedEvents;
  #done = false;
  #sequence = -1;
  #characters = 0;

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#events = new BoundedEvents(options);
  }

  push(chunk: Buffer): ResponsesFrame | null {
    if (this.#done) return null;
    const records = this.#events.push(chunk);
    if (records.length === 0) return null;
    const forwarded: Buffer[] = [];
    for (const record of records) {
      const last = this.#take(record);
      if (last !== null) return this.#lastFrame(forwarded, record.bytes, last);
      if (record.data !== DONE) forwarded.push(record.bytes);
    }
    return this.#frame(forwarded);
  }

  end(): ResponsesFrame | null {
    if (this.#done) return null;
    const rest = this.#events.end();
    const data = rest?.data ?? null;
    if (rest !== null && data !== null && isJsonObject(parseJson(data))) {
      const last = this.#take(rest);
      const closing = rest.bytes.toString('utf8').endsWith('\n') ? '\n' : '\n\n';
      const bytes = Buffer.concat([rest.bytes, Buffer.from(closing)]);
      if (last !== null) return this.#lastFrame([], bytes, last);
    }
    throw this.#fail({ kind: 'truncated', message: 'The stream ended before the response did.' });
  }

  /** Reads one event; the event itself where it is the last one. */
  #take({ data, event: name }: SseRecord): JsonObject | null {
    if (data === null || data === DONE) return null;
    const event = parseJson(data);
    if (!isJsonObject(event)) {
      const problem = name === 'error' ? errorEvent(fromText(data)) : NOT_AN_OBJECT;
      throw this.#fail(problem);
    }
    if (name === 'error' || event.type === 'error') {
      const { type: _, ...error } = event; // its type says that it is one, not which
      throw this.#fail(errorEvent(readErrorBody(error) ?? fromText(data)));
    }
    const type = textOf(event.type) ?? '';
    if (type === '') {
      const error = readErrorMember(event);
      throw this.#fail(error === null ? NOT_AN_OBJECT : errorEvent(error));
    }
    if (END_EVENTS.has(type)) return event;
    this.#sequence = numberOf(event.sequence_number) ?? this.#sequence + 1;
    if (type.endsWith('.delta')) this.#characters += textOf(event.delta)?.length ?? 0;
    return null;
  }

  #frame(bytes: readonly Buffer[]): ResponsesFrame | null {
    const producedCharacters = this.#characters;
    this.#characters = 0;
    if (bytes.length === 0) return null;
    const joined = bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes);
    const sequence = this.#sequence;
    return { bytes: joined, terminal: null, producedCharacters, sequence, ...NOTHING };
  }

  #lastFrame(before: readonly Buffer[], bytes: Buffer, event: JsonObject): ResponsesFrame {
    this.#done = true;
    const read = readResponse(objectOf(event.response));
    const producedCharacters = this.#characters;
    if (read.kind === 'invalid') throw this.#fail({ kind: 'garbled', message: read.message });
    if (read.kind === 'failed') {
      const sequence = numberOf(event.sequence_number) ?? this.#sequence + 1;
      const failure = this.#fail(errorEvent(read.error));
      const told = Buffer.concat([...before, bytes]);
      return { bytes: told, terminal: null, producedCharacters, sequence, ...NOTHING, failure };
    }
    const sequence = this.#sequence;
    const earlier = Buffer.concat(before);
    return { bytes: earlier, terminal: bytes, producedCharacters, sequence, ...read.facts };
  }

  #fail(problem: StreamProblem): Error {
    return this.#options.fail(problem);
  }
}

const NOT_AN_OBJECT: StreamProblem = {
  kind: 'garbled',
  message: 'An event of the stream is not a JSON object with a type.',
};

function errorEvent(error: ErrorBody): StreamProblem {
  return { kind: 'error_event', error };
}
