/**
 * The items of one response's output while they come about: reasoning, messages and calls of
 * tools, each with the events that tell of it.
 *
 * 1. An item's events stand between its `output_item.added` and its `output_item.done`; a
 *    part's between those of the part.
 * 2. Text and reasoning are one open item at a time. Calls stay open until the end, because
 *    pieces of several may come in any order.
 * 3. What a part's `done` says is what its deltas say together.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { compact } from '../values.ts';

/** Writes one event; the numbering is the caller's. */
export type Emit = (type: string, members: JsonObject) => void;

export type ItemStatus = 'completed' | 'incomplete';

/** How a part of an item is told; all kinds have the same course. */
interface PartKind {
  readonly type: string;
  /** The member of the part, and of its `done`, that holds the text. */
  readonly field: 'text' | 'refusal';
  readonly events: string;
  readonly added: string;
  readonly done: string;
  readonly index: 'content_index' | 'summary_index';
  /** Members of the part, of its deltas and of its `done`, that are always the same. */
  readonly part: JsonObject;
  readonly delta: JsonObject;
}

const CONTENT = {
  added: 'response.content_part.added',
  done: 'response.content_part.done',
  index: 'content_index',
  delta: {},
  part: {},
} as const;

const PARTS = {
  text: {
    ...CONTENT,
    type: 'output_text',
    field: 'text',
    events: 'response.output_text',
    part: { annotations: [], logprobs: [] },
    delta: { logprobs: [] },
  },
  refusal: { ...CONTENT, type: 'refusal', field: 'refusal', events: 'response.refusal' },
  reasoning: {
    ...CONTENT,
    type: 'reasoning_text',
    field: 'text',
    events: 'response.reasoning_text',
  },
  summary: {
    ...CONTENT,
    type: 'summary_text',
    field: 'text',
    events: 'response.reasoning_summary_text',
    added: 'response.reasoning_summary_part.added',
    done: 'response.reasoning_summary_part.done',
    index: 'summary_index',
  },
} satisfies Record<string, PartKind>;

export type PartName = keyof typeof PARTS;

export interface Item {
  readonly index: number;
  close(status: ItemStatus): void;
  /** The item as it stands. */
  value(): JsonObject;
}

/** A message or a reasoning item: text in parts. */
export class TextItem implements Item {
  readonly index: number;
  readonly kind: 'message' | 'reasoning';
  readonly #id: string;
  readonly #emit: Emit;
  readonly #parts: { readonly kind: PartKind; text: string }[] = [];
  #packed: string | null = null;
  #status: ItemStatus | 'in_progress' = 'in_progress';

  constructor(kind: TextItem['kind'], id: string, index: number, emit: Emit) {
    this.kind = kind;
    this.index = index;
    this.#id = id;
    this.#emit = emit;
    emit('response.output_item.added', { output_index: index, item: this.value() });
  }

  add(name: PartName, text: string): void {
    const kind: PartKind = PARTS[name];
    let part = this.#parts.at(-1);
    if (part?.kind !== kind) {
      this.#closePart();
      part = { kind, text: '' };
      this.#parts.push(part);
      this.#emit(kind.added, { ...this.#place(), part: partOf(part) });
    }
    part.text += text;
    this.#emit(`${kind.events}.delta`, { ...this.#place(), delta: text, ...kind.delta });
  }

  /** What the client is to send back with it. */
  pack(packed: string): void {
    this.#packed = packed;
  }

  close(status: ItemStatus): void {
    this.#closePart();
    this.#status = status;
    const item = this.value();
    this.#emit('response.output_item.done', { output_index: this.index, item });
  }

  value(): JsonObject {
    const status = this.#status;
    const parts = (isSummary: boolean): JsonObject[] =>
      this.#parts.filter(({ kind }) => (kind === PARTS.summary) === isSummary).map(partOf);
    if (this.kind === 'message') {
      const content = parts(false);
      return { id: this.#id, type: 'message', status, role: 'assistant', content };
    }
    const content = parts(false);
    return compact({
      id: this.#id,
      type: 'reasoning',
      status,
      summary: parts(true),
      content: content.length === 0 ? undefined : content,
      encrypted_content: this.#packed ?? undefined,
    });
  }

  #closePart(): void {
    const part = this.#parts.at(-1);
    if (part === undefined) return;
    const { kind, text } = part;
    this.#emit(`${kind.events}.done`, { ...this.#place(), [kind.field]: text, ...kind.delta });
    this.#emit(kind.done, { ...this.#place(), part: partOf(part) });
  }

  /** Of the last part; a summary's is counted apart from the content's. */
  #place(): JsonObject {
    const last = this.#parts.at(-1);
    const index = last?.kind.index ?? 'content_index';
    const alike = this.#parts.filter(({ kind }) => kind.index === index);
    return { item_id: this.#id, output_index: this.index, [index]: alike.length - 1 };
  }
}

function partOf({ kind, text }: { readonly kind: PartKind; readonly text: string }): JsonObject {
  return { type: kind.type, [kind.field]: text, ...kind.part };
}

/** A call of a tool, told of once its name is known. */
export class CallItem implements Item {
  readonly index: number;
  readonly callId: string;
  readonly #id: string;
  readonly #name: string;
  readonly #emit: Emit;
  #arguments = '';
  #status: ItemStatus | 'in_progress' = 'in_progress';

  constructor(
    ids: { readonly id: string; readonly callId: string },
    name: string,
    index: number,
    emit: Emit,
  ) {
    this.index = index;
    this.callId = ids.callId;
    this.#id = ids.id;
    this.#name = name;
    this.#emit = emit;
    emit('response.output_item.added', { output_index: index, item: this.value() });
  }

  add(delta: string): void {
    if (delta === '') return;
    this.#arguments += delta;
    this.#emit('response.function_call_arguments.delta', { ...this.#place(), delta });
  }

  close(status: ItemStatus): void {
    this.#emit('response.function_call_arguments.done', {
      ...this.#place(),
      name: this.#name,
      arguments: this.#arguments,
    });
    this.#status = status;
    const item = this.value();
    this.#emit('response.output_item.done', { output_index: this.index, item });
  }

  value(): JsonObject {
    return {
      id: this.#id,
      type: 'function_call',
      status: this.#status,
      arguments: this.#arguments,
      call_id: this.callId,
      name: this.#name,
    };
  }

  #place(): JsonObject {
    return { item_id: this.#id, output_index: this.index };
  }
}
