/**
 * Canonical chunks as the events of Gemini's stream.
 *
 * 1. Text and thoughts leave as they come. Function calls leave whole, as this wire has them,
 *    and so with the last event: pieces of several may come in any order.
 * 2. The last event carries the finish reasons and the usage; it is the terminal one.
 * 3. In a list, something is written with the first frame, so that whatever follows is an item
 *    behind an item.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { type WritableJson, writeJson } from '../../../kernel/json-source.ts';
import { objectsOf } from '../fields.ts';
import { finishWord } from '../finish-reason.ts';
import { EventFramer } from '../framing.ts';
import type { Framing } from '../types.ts';
import { encodeUsage, fromCanonicalUsage, type UsageFigures } from '../usage.ts';
import { encodeCall, thoughtPart } from './answer.ts';

type Written = { readonly [name: string]: WritableJson | undefined };

export interface CanonicalFrame {
  readonly chunks: readonly JsonObject[];
  readonly usage: UsageFigures | null;
  readonly isLast: boolean;
}

export interface EncodedFrame {
  readonly bytes: Buffer;
  /** Set for the last frame. */
  readonly terminal: Buffer | null;
}

export interface GeminiStreamEncoder {
  encode(frame: CanonicalFrame): EncodedFrame;
}

export function createStreamEncoder(framing: Framing): GeminiStreamEncoder {
  return new Encoder(framing);
}

interface OpenCall {
  id: string;
  name: string;
  text: string;
  signature: string | null;
}

interface Candidate {
  readonly index: number;
  /** By their index, in the order in which they began. */
  readonly calls: Map<number, OpenCall>;
  finish: string | null;
}

class Encoder implements GeminiStreamEncoder {
  readonly #framer: EventFramer;
  readonly #candidates = new Map<number, Candidate>();
  #named: Written = {};
  #usage: UsageFigures | null = null;

  constructor(framing: Framing) {
    this.#framer = new EventFramer(framing);
  }

  encode({ chunks, usage, isLast }: CanonicalFrame): EncodedFrame {
    const bytes: Buffer[] = [];
    this.#usage = usage ?? this.#usage;
    for (const chunk of chunks) {
      const event = this.#take(chunk);
      if (event !== null) bytes.push(this.#framer.item(writeJson(event)));
    }
    if (isLast) {
      const last = this.#framer.item(writeJson(this.#last()));
      const terminal = Buffer.concat([last, this.#framer.end()]);
      return { bytes: Buffer.concat(bytes), terminal };
    }
    if (this.#framer.mustOpen) bytes.push(this.#framer.item(writeJson(this.#named)));
    return { bytes: Buffer.concat(bytes), terminal: null };
  }

  #take(chunk: JsonObject): Written | null {
    this.#named = {
      ...(typeof chunk.model === 'string' ? { modelVersion: chunk.model } : {}),
      ...(typeof chunk.id === 'string' ? { responseId: chunk.id } : {}),
    };
    this.#usage = fromCanonicalUsage(chunk.usage) ?? this.#usage;
    const candidates = objectsOf(chunk.choices).flatMap((choice) => this.#choice(choice));
    return candidates.length === 0 ? null : { candidates, ...this.#named };
  }

  #choice(choice: JsonObject): readonly Written[] {
    const candidate = this.#candidate(choice.index);
    const delta = isJsonObject(choice.delta) ? choice.delta : {};
    for (const piece of objectsOf(delta.tool_calls)) addPiece(candidate, piece);
    if (typeof choice.finish_reason === 'string') {
      const bag = isJsonObject(choice.esclusa) ? choice.esclusa : {};
      candidate.finish = finishWord(choice.finish_reason, bag.stop_reason);
    }
    const parts = saidIn(delta);
    if (parts.length === 0) return [];
    return [{ content: { role: 'model', parts }, index: candidate.index }];
  }

  #candidate(value: JsonValue | undefined): Candidate {
    const index = typeof value === 'number' ? value : 0;
    const known = this.#candidates.get(index);
    if (known !== undefined) return known;
    const candidate: Candidate = { index, calls: new Map(), finish: null };
    this.#candidates.set(index, candidate);
    return candidate;
  }

  #last(): Written {
    const candidates = [...this.#candidates.values()].map(({ index, calls, finish }) => {
      const parts = [...calls.values()].map(closeCall);
      const whole = parts.filter((part) => part !== null);
      return {
        content: { role: 'model', parts: whole.length === 0 ? [{ text: '' }] : whole },
        finishReason: whole.length < parts.length ? 'MALFORMED_FUNCTION_CALL' : (finish ?? 'OTHER'),
        index,
      };
    });
    return {
      candidates,
      ...(this.#usage === null ? {} : { usageMetadata: encodeUsage(this.#usage) }),
      ...this.#named,
    };
  }
}

function saidIn(delta: JsonObject): readonly Written[] {
  const { content, refusal, reasoning_content: reasoning, esclusa } = delta;
  const parts: Written[] = [];
  const blocks = objectsOf(isJsonObject(esclusa) ? esclusa.thinking_blocks : undefined);
  const [block] = blocks.filter(({ type }) => type === 'thinking');
  if (typeof reasoning === 'string' && reasoning !== '') {
    parts.push(thoughtPart({ ...block, thinking: reasoning }));
  } else if (typeof block?.signature === 'string') {
    parts.push(thoughtPart({ thinking: '', signature: block.signature }));
  }
  for (const text of [content, refusal]) {
    if (typeof text === 'string' && text !== '') parts.push({ text });
  }
  return parts;
}

function addPiece({ calls }: Candidate, piece: JsonObject): void {
  const at = typeof piece.index === 'number' ? piece.index : 0;
  const fn = isJsonObject(piece.function) ? piece.function : {};
  const bag = isJsonObject(piece.esclusa) ? piece.esclusa : {};
  const call = calls.get(at) ?? { id: '', name: '', text: '', signature: null };
  calls.set(at, call);
  if (typeof piece.id === 'string') call.id ||= piece.id;
  if (typeof fn.name === 'string') call.name += fn.name;
  if (typeof fn.arguments === 'string') call.text += fn.arguments;
  if (typeof bag.signature === 'string') call.signature = bag.signature;
}

function closeCall({ id, name, text, signature }: OpenCall): Written | null {
  return encodeCall({
    id,
    function: { name, arguments: text },
    ...(signature === null ? {} : { esclusa: { signature } }),
  });
}
