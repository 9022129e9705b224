/**
 * Canonical chunks as the events of a response: created, items with their parts, the whole
 * response last. Sequence numbers rise by one from zero.
 *
 * Only the first choice is told: the dialect has one. Reasoning is told as a summary where the
 * client asked for one, and as the model's own text otherwise.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { bagOf, listOf, numberOf, objectOf, textOf } from '../values.ts';
import { type CarriedReasoning, packReasoning } from './carried-reasoning.ts';
import { CallItem, type Item, type ItemStatus, type PartName, TextItem } from './output-items.ts';
import { type ResponseHead, type ResponseState, responseObject } from './response-object.ts';
import { writeUsage } from './usage.ts';

export interface ResponsesStreamEncoder {
  /** The number of the last event; -1 before the first. */
  readonly sequence: number;
  /** The events of some chunks in canonical form. */
  encode(chunks: readonly object[]): string;
  /** What is left: the events before the last one, the last one, and what that says. */
  end(): { readonly events: string; readonly last: string; readonly response: JsonObject };
}

export interface StreamEncoderOptions {
  /** The time is the provider's where it is not given. */
  readonly id: string;
  readonly createdSeconds: number;
  /** The request's body in this dialect. */
  readonly source: JsonObject;
}

export function createStreamEncoder(options: StreamEncoderOptions): ResponsesStreamEncoder {
  return new Encoder(options);
}

interface OpenCall {
  id: string;
  name: string;
  /** Pieces that came before its name did. */
  waiting: string;
  item: CallItem | null;
}

class Encoder implements ResponsesStreamEncoder {
  readonly #head: ResponseHead;
  readonly #source: JsonObject;
  readonly #summarises: boolean;
  readonly #items: Item[] = [];
  readonly #calls = new Map<number, OpenCall>();
  readonly #signatures: Record<string, JsonValue> = {};
  #textSignature: string | null = null;
  #open: TextItem | null = null;
  #blocks: JsonObject[] = [];
  /** Text of the thought that was not signed yet. */
  #thought = '';
  #out = '';
  #started = false;
  #model: string | null = null;
  #finish: string | null = null;
  #refused = false;
  #usage: JsonObject | undefined;
  sequence = -1;

  constructor({ id, createdSeconds, source }: StreamEncoderOptions) {
    this.#head = { id, createdSeconds };
    this.#source = source;
    this.#summarises = typeof objectOf(source.reasoning).summary === 'string';
  }

  encode(chunks: readonly object[]): string {
    for (const chunk of chunks) this.#take(chunk as JsonObject);
    return this.#flush();
  }

  end(): { readonly events: string; readonly last: string; readonly response: JsonObject } {
    this.#start();
    const reason = this.#incompleteReason();
    const status = reason === undefined ? 'completed' : 'incomplete';
    this.#closeAll(status);
    const events = this.#flush();
    const response = this.#response({
      ...{ status, model: this.#model, usage: this.#usage },
      output: this.#items.map((item) => item.value()),
      ...(reason === undefined ? {} : { incompleteReason: reason }),
    });
    this.#emit(`response.${status}`, { response });
    return { events, last: this.#flush(), response };
  }

  #take(chunk: JsonObject): void {
    this.#model ??= textOf(chunk.model);
    this.#usage = writeUsage(chunk.usage, chunk) ?? this.#usage;
    this.#start();
    for (const item of listOf(chunk.choices)) {
      const choice = objectOf(item);
      if ((numberOf(choice.index) ?? 0) !== 0) continue;
      this.#takeDelta(objectOf(choice.delta));
      this.#finish = textOf(choice.finish_reason) ?? this.#finish;
    }
  }

  #takeDelta(delta: JsonObject): void {
    this.#takeThoughts(delta);
    this.#textSignature = textOf(bagOf(delta).signature) ?? this.#textSignature;
    this.#say('message', 'text', textsOf(delta.content));
    const refusal = textOf(delta.refusal) ?? '';
    if (refusal !== '') this.#refused = true;
    this.#say('message', 'refusal', refusal);
    for (const call of listOf(delta.tool_calls)) this.#takeCall(objectOf(call));
  }

  #takeThoughts(delta: JsonObject): void {
    const said = textOf(delta.reasoning_content) ?? textOf(delta.reasoning) ?? '';
    const pieces = listOf(bagOf(delta).thinking_blocks).map(objectOf);
    const told = said !== '' ? said : pieces.map(({ thinking }) => textOf(thinking) ?? '').join('');
    this.#say('reasoning', this.#summarises ? 'summary' : 'reasoning', told);
    this.#thought += told;
    for (const piece of pieces) this.#takePiece(piece);
    if (pieces.length > 0 && this.#open?.kind !== 'reasoning') this.#openItem('reasoning');
  }

  /** Pieces of one thought come apart: its text, here or as text alone; then its signature. */
  #takePiece(piece: JsonObject): void {
    const last = this.#blocks.at(-1);
    const own = textOf(piece.thinking) ?? '';
    if (piece.type === 'redacted') {
      this.#blocks.push(piece);
    } else if (last?.type === 'thinking' && last.signature === undefined) {
      const thinking = (textOf(last.thinking) ?? '') + own;
      this.#blocks[this.#blocks.length - 1] = { ...last, ...piece, thinking };
    } else {
      this.#blocks.push({ ...piece, thinking: own === '' ? this.#thought : own });
    }
    if (piece.signature !== undefined) this.#thought = '';
  }

  #say(kind: TextItem['kind'], part: PartName, text: string): void {
    if (text === '') return;
    if (this.#open?.kind !== kind) this.#openItem(kind);
    this.#open?.add(part, text);
  }

  #openItem(kind: TextItem['kind']): void {
    this.#closeText('completed');
    const index = this.#items.length;
    const prefix = kind === 'message' ? 'msg' : 'rs';
    this.#open = new TextItem(kind, this.#idOf(prefix, index), index, this.#emit);
    this.#items.push(this.#open);
  }

  #takeCall(piece: JsonObject): void {
    this.#closeText('completed');
    const number = numberOf(piece.index) ?? 0;
    const { name, arguments: written } = objectOf(piece.function);
    const call = this.#calls.get(number) ?? { id: '', name: '', waiting: '', item: null };
    this.#calls.set(number, call);
    call.id ||= textOf(piece.id) ?? '';
    call.name ||= textOf(name) ?? '';
    call.waiting += textOf(written) ?? '';
    const { signature } = bagOf(piece);
    if (call.name !== '') this.#tellCall(call);
    if (typeof signature === 'string') this.#signatures[call.item?.callId ?? call.id] = signature;
  }

  #tellCall(call: OpenCall): void {
    if (call.item === null) {
      const index = this.#items.length;
      const ids = { id: this.#idOf('fc', index), callId: call.id || this.#idOf('call', index) };
      call.item = new CallItem(ids, call.name, index, this.#emit);
      this.#items.push(call.item);
    }
    call.item.add(call.waiting);
    call.waiting = '';
  }

  #closeText(status: ItemStatus): void {
    const item = this.#open;
    this.#open = null;
    if (item === null) return;
    if (item.kind === 'reasoning') this.#pack(item, { calls: {} });
    item.close(status);
  }

  /** Signed and hidden thoughts come back with the item; plain ones need no more than it says. */
  #pack(item: TextItem, own: Omit<CarriedReasoning, 'blocks'>): void {
    const isSigned = this.#blocks.some(({ type, signature }) => type !== 'thinking' || signature);
    if (isSigned || hasSignatures(own)) {
      item.pack(packReasoning({ blocks: isSigned ? this.#blocks : [], ...own }));
    }
    this.#blocks = [];
    this.#thought = '';
  }

  #closeAll(status: ItemStatus): void {
    this.#closeText(status);
    const last = this.#items.length - 1;
    for (const call of this.#calls.values()) {
      this.#tellCall(call);
      call.item?.close(call.item.index === last ? status : 'completed');
    }
    const text = this.#textSignature;
    const signed = { calls: this.#signatures, ...(text === null ? {} : { text }) };
    if (!hasSignatures(signed)) return;
    this.#openItem('reasoning');
    const carrier = this.#open as TextItem | null;
    this.#open = null;
    if (carrier === null) return;
    this.#pack(carrier, signed);
    carrier.close('completed');
  }

  #incompleteReason(): ResponseState['incompleteReason'] {
    if (this.#finish === 'length') return 'max_output_tokens';
    return this.#finish === 'content_filter' && !this.#refused ? 'content_filter' : undefined;
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const response = this.#response({ status: 'in_progress', model: this.#model, output: [] });
    this.#emit('response.created', { response });
    this.#emit('response.in_progress', { response });
  }

  #response(state: ResponseState): JsonObject {
    return responseObject(this.#head, this.#source, state);
  }

  #idOf(prefix: string, index: number): string {
    return `${prefix}_${this.#head.id.replace(/^resp_/, '')}_${index}`;
  }

  readonly #emit = (type: string, members: JsonObject): void => {
    this.sequence += 1;
    const event = { type, sequence_number: this.sequence, ...members };
    this.#out += `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  };

  #flush(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }
}

function hasSignatures({ calls, text }: Omit<CarriedReasoning, 'blocks'>): boolean {
  return text !== undefined || Object.keys(calls).length > 0;
}

function textsOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => textOf(objectOf(part).text) ?? '')
    .join('');
}
