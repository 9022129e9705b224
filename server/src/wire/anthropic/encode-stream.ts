/**
 * Canonical chunks as the events of a message: start, blocks one after the other, end.
 *
 * 1. One block is open at a time; its events stand between its start and its stop.
 * 2. `message_start` comes first, `message_delta` with the whole usage last before the end.
 * 3. Only the first choice is told: the dialect has one.
 *
 * A piece for a call whose block was closed cannot be said; `fail` makes the error for it.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { bagOf, listOf, numberOf, objectOf, textOf } from '../values.ts';
import { emptyMessage } from './encode-answer.ts';
import { writeStopReason } from './stop-reason.ts';
import { fromCanonicalUsage, type TokenCounts, writeMessageUsage, writeUsage } from './usage.ts';

export interface StreamEncoderOptions {
  /** Stands in where the provider told no usage; asked for at the end. */
  readonly estimate: () => TokenCounts;
  readonly fail: (message: string) => Error;
}

export interface AnthropicStreamEncoder {
  /** The events of some chunks in canonical form. */
  encode(chunks: readonly object[]): string;
  /** The events that come before the last one. */
  end(): string;
}

export const STOP_EVENT = event({ type: 'message_stop' });

type Open =
  | { readonly kind: 'text' | 'thinking'; readonly index: number }
  | { readonly kind: 'tool'; readonly index: number; readonly call: number };

export function createStreamEncoder(options: StreamEncoderOptions): AnthropicStreamEncoder {
  return new Encoder(options);
}

const NO_COUNTS: TokenCounts = {
  uncached: 0,
  cacheRead: 0,
  cacheCreation: 0,
  output: 0,
  thinking: 0,
};

class Encoder implements AnthropicStreamEncoder {
  readonly #options: StreamEncoderOptions;
  #out = '';
  #started = false;
  #blocks = 0;
  #open: Open | null = null;
  readonly #calls = new Set<number>();
  #counts: TokenCounts | null = null;
  #finishReason: string | null = null;
  #bag: JsonObject = {};
  #refused = false;

  constructor(options: StreamEncoderOptions) {
    this.#options = options;
  }

  encode(chunks: readonly object[]): string {
    for (const chunk of chunks) this.#take(chunk as JsonObject);
    return this.#flush();
  }

  end(): string {
    this.#start(null, null);
    this.#close();
    const bag = this.#bag;
    const stop_reason = writeStopReason({
      finishReason: this.#finishReason,
      stopReason: this.#refused ? 'refusal' : textOf(bag.stop_reason),
      stopSequence: textOf(bag.stop_sequence),
      calledTools: this.#calls.size > 0,
    });
    const stop_sequence = textOf(bag.stop_sequence);
    this.#out += event({
      type: 'message_delta',
      delta: { stop_reason, stop_sequence, stop_details: null, container: null },
      usage: writeUsage(this.#counts ?? this.#options.estimate()),
    });
    return this.#flush();
  }

  #take(chunk: JsonObject): void {
    const created = bagOf(chunk).cache_creation_tokens;
    this.#counts = fromCanonicalUsage(chunk.usage, created) ?? this.#counts;
    this.#start(textOf(chunk.id), textOf(chunk.model));
    for (const item of listOf(chunk.choices)) {
      const choice = objectOf(item);
      if ((numberOf(choice.index) ?? 0) !== 0) continue;
      this.#takeDelta(objectOf(choice.delta));
      this.#finishReason = textOf(choice.finish_reason) ?? this.#finishReason;
      this.#bag = { ...this.#bag, ...bagOf(choice) };
    }
  }

  #takeDelta(delta: JsonObject): void {
    this.#takeThoughts(delta);
    const refusal = textOf(delta.refusal) ?? '';
    if (refusal !== '') this.#refused = true;
    const text = (textOf(delta.content) ?? '') + refusal;
    if (text !== '') {
      const index = this.#openText('text', { type: 'text', text: '', citations: null });
      this.#delta(index, { type: 'text_delta', text });
    }
    for (const call of listOf(delta.tool_calls)) this.#takeCall(objectOf(call));
  }

  /** The text stands in `reasoning_content`; signatures and hidden thoughts in the bag. */
  #takeThoughts(delta: JsonObject): void {
    const said = textOf(delta.reasoning_content) ?? textOf(delta.reasoning) ?? '';
    if (said !== '') this.#think(said);
    for (const item of listOf(bagOf(delta).thinking_blocks)) {
      const piece = objectOf(item);
      if (piece.type === 'redacted') {
        this.#close();
        this.#openBlock('thinking', { type: 'redacted_thinking', data: piece.data ?? '' });
        this.#close();
        continue;
      }
      const text = textOf(piece.thinking) ?? '';
      if (said === '' && text !== '') this.#think(text);
      const signature = textOf(piece.signature);
      if (signature === null) continue;
      const index = this.#openText('thinking', { type: 'thinking', thinking: '', signature: '' });
      this.#delta(index, { type: 'signature_delta', signature });
      this.#close();
    }
  }

  #think(thinking: string): void {
    const index = this.#openText('thinking', { type: 'thinking', thinking: '', signature: '' });
    this.#delta(index, { type: 'thinking_delta', thinking });
  }

  #takeCall(call: JsonObject): void {
    const number = numberOf(call.index) ?? 0;
    const { name, arguments: written } = objectOf(call.function);
    const open = this.#open;
    let index: number;
    if (open?.kind === 'tool' && open.call === number) {
      index = open.index;
    } else {
      if (this.#calls.has(number)) {
        throw this.#options.fail('The provider mixed the arguments of several tool calls.');
      }
      this.#close();
      this.#calls.add(number);
      index = this.#openTool(number, textOf(call.id) ?? '', textOf(name) ?? '');
    }
    const partial_json = textOf(written) ?? '';
    if (partial_json !== '') this.#delta(index, { type: 'input_json_delta', partial_json });
  }

  #start(id: string | null, model: string | null): void {
    if (this.#started) return;
    this.#started = true;
    const usage = writeMessageUsage(this.#counts ?? NO_COUNTS);
    this.#out += event({ type: 'message_start', message: { ...emptyMessage(id, model), usage } });
    this.#out += event({ type: 'ping' });
  }

  #openText(kind: 'text' | 'thinking', block: JsonObject): number {
    if (this.#open?.kind === kind) return this.#open.index;
    this.#close();
    return this.#openBlock(kind, block);
  }

  #openBlock(kind: 'text' | 'thinking', block: JsonObject): number {
    const index = this.#announce(block);
    this.#open = { kind, index };
    return index;
  }

  #openTool(call: number, id: string, name: string): number {
    const caller = { type: 'direct' };
    const index = this.#announce({ type: 'tool_use', id, caller, name, input: {} });
    this.#open = { kind: 'tool', index, call };
    return index;
  }

  #announce(content_block: JsonObject): number {
    const index = this.#blocks;
    this.#blocks += 1;
    this.#out += event({ type: 'content_block_start', index, content_block });
    return index;
  }

  #delta(index: number, delta: JsonObject): void {
    this.#out += event({ type: 'content_block_delta', index, delta });
  }

  #close(): void {
    if (this.#open === null) return;
    this.#out += event({ type: 'content_block_stop', index: this.#open.index });
    this.#open = null;
  }

  #flush(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }
}

/** One complete event; its name is its type. */
function event(data: { readonly type: string; readonly [key: string]: JsonValue }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
