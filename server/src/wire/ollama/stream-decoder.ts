/**
 * Reads a stream of `/api/chat` or `/api/generate`: lines of JSON, the last of which says that
 * it is done, turned into canonical chunks.
 *
 * 1. The outcome is the same however the bytes are cut.
 * 2. The first chunk names the role; the last with a choice gives the reason, and the chunk of
 *    the usage follows where the server counted.
 * 3. A call comes whole in one line, and calls count through the stream.
 * 4. A body that ends before the last line is an error; what follows that line is not read.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { FinishReason, FrameDecoder, ProviderUsage } from '../decoded.ts';
import { thoughtOf } from './decode-answer.ts';
import {
  answerId,
  createdSeconds,
  decodeCalls,
  decodeLogprobs,
  decodeUsage,
  encodeUsage,
  finishReasonOf,
  ownReason,
} from './decode-facts.ts';
import { createLineSplitter, LineOverflow, type LineSplitter } from './line-splitter.ts';
import type { DecodedFrame, StreamProblem } from './types.ts';

export interface StreamDecoderOptions {
  readonly operation: 'chat' | 'completion';
  readonly maxLineBytes: number;
  readonly maxStreamBytes: number;
  /** Makes the error that is thrown for a problem. */
  readonly fail: (problem: StreamProblem) => Error;
}

export function createStreamDecoder(options: StreamDecoderOptions): FrameDecoder<DecodedFrame> {
  return new Decoder(options);
}

class Decoder implements FrameDecoder<DecodedFrame> {
  readonly #options: StreamDecoderOptions;
  readonly #lines: LineSplitter;
  #receivedBytes = 0;
  #facts: JsonObject | null = null;
  #calls = 0;
  #done = false;
  // What the lines of the current call said.
  #chunks: JsonObject[] = [];
  #characters = 0;
  #usage: ProviderUsage | null = null;
  #reasons: FinishReason[] = [];

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#lines = createLineSplitter(options.maxLineBytes);
  }

  push(chunk: Buffer): DecodedFrame | null {
    if (this.#done) return null;
    this.#receivedBytes += chunk.length;
    for (const line of this.#split(chunk)) {
      this.#take(line);
      if (this.#done) break;
    }
    return this.#frame();
  }

  end(): DecodedFrame | null {
    if (this.#done) return null;
    const rest = this.#lines.end();
    if (rest !== null && parseJson(rest) !== undefined) this.#take(rest);
    if (!this.#done) {
      const message = 'The stream ended before the answer did.';
      throw this.#options.fail({ kind: 'truncated', message });
    }
    return this.#frame();
  }

  #split(chunk: Buffer): string[] {
    const { maxStreamBytes, maxLineBytes, fail } = this.#options;
    if (this.#receivedBytes > maxStreamBytes) {
      throw fail({
        kind: 'too_long',
        message: `The stream is longer than ${maxStreamBytes} bytes.`,
      });
    }
    try {
      return this.#lines.push(chunk);
    } catch (error) {
      if (!(error instanceof LineOverflow)) throw error;
      const message = `A line of the stream is longer than ${maxLineBytes} bytes.`;
      throw fail({ kind: 'too_long', message });
    }
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const event = parseJson(line);
    if (!isJsonObject(event)) throw this.#garbled('A line of the stream is not a JSON object.');
    if (typeof event.error === 'string') {
      throw this.#options.fail({ kind: 'error_line', text: event.error });
    }
    if (this.#options.operation === 'chat') this.#takeChat(event, line);
    else this.#takeCompletion(event, line);
    if (event.done !== true) return;
    this.#done = true;
    this.#usage = decodeUsage(event);
    if (this.#usage !== null) {
      this.#chunks.push({ ...this.#facts, choices: [], usage: encodeUsage(this.#usage) });
    }
  }

  #takeChat(event: JsonObject, line: string): void {
    const { message } = event;
    if (!isJsonObject(message)) throw this.#garbled('A line of the stream has no message.');
    const role = this.#facts === null ? { role: 'assistant' } : {};
    this.#facts ??= factsOf('chatcmpl-', 'chat.completion.chunk', event, line);
    const calls = decodeCalls(event, line, this.#calls).map((call, index) => ({
      index: this.#calls + index,
      ...call,
    }));
    this.#calls += calls.length;
    const content = typeof message.content === 'string' ? message.content : '';
    const thought = thoughtOf(message.thinking);
    const delta = {
      ...role,
      ...(content === '' ? {} : { content }),
      ...thought,
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
    this.#characters += content.length + (thought.reasoning_content?.length ?? 0);
    for (const call of calls) {
      const said = (call as { function?: { arguments?: string } }).function?.arguments ?? '';
      this.#characters += said.length;
    }
    const choice = { index: 0, delta, finish_reason: null, ...decodeLogprobs(event) };
    if (Object.keys(delta).length > 0) this.#chunks.push({ ...this.#facts, choices: [choice] });
    if (event.done !== true) return;
    const reason = finishReasonOf(event, this.#calls > 0);
    this.#reasons.push(reason);
    const last = { index: 0, delta: {}, finish_reason: reason, ...ownReason(event) };
    this.#chunks.push({ ...this.#facts, choices: [last] });
  }

  #takeCompletion(event: JsonObject, line: string): void {
    const { response } = event;
    if (typeof response !== 'string') throw this.#garbled('A line of the stream has no response.');
    this.#facts ??= factsOf('cmpl-', 'text_completion', event, line);
    this.#characters += response.length;
    const reason = event.done === true ? finishReasonOf(event, false) : null;
    if (reason !== null) this.#reasons.push(reason);
    const choice = { index: 0, text: response, logprobs: null, finish_reason: reason };
    this.#chunks.push({ ...this.#facts, choices: [choice] });
  }

  #garbled(message: string): Error {
    return this.#options.fail({ kind: 'garbled', message });
  }

  #frame(): DecodedFrame | null {
    if (this.#chunks.length === 0 && !this.#done) return null;
    const frame: DecodedFrame = {
      chunks: this.#chunks,
      isLast: this.#done,
      producedCharacters: this.#characters,
      usage: this.#usage,
      finishReasons: this.#reasons,
    };
    this.#chunks = [];
    this.#characters = 0;
    this.#usage = null;
    this.#reasons = [];
    return frame;
  }
}

/** The members that all chunks of a stream share. */
function factsOf(prefix: string, object: string, first: JsonObject, line: string): JsonObject {
  const model = String(first.model ?? '');
  const created = createdSeconds(first);
  return { id: answerId(prefix, first, line), object, created, model };
}
