/**
 * The events of one stream as canonical chunks. Each event is an answer of its own, with what
 * was said since the one before; calls come whole.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { jsonSource } from '../../../kernel/json-source.ts';
import type { ProviderUsage } from '../../decoded.ts';
import { objectsOf } from '../fields.ts';
import { blockedFinish, finishOf } from '../finish-reason.ts';
import { decodeLogprobs } from '../logprobs.ts';
import { madeId } from '../made-ids.ts';
import type { Chunk } from '../types.ts';
import { toCanonicalUsage } from '../usage.ts';
import {
  type AnswerContext,
  answerId,
  blockReason,
  candidateSources,
  endOf,
  modelOf,
  partsOf,
} from './answer.ts';
import { argumentsIn } from './arguments.ts';
import { decodeModelParts } from './model-parts.ts';

export class ChunkDecoder {
  readonly #context: AnswerContext;
  /** Calls of each candidate so far; a candidate that began has an entry. */
  readonly #calls = new Map<number, number>();
  #head: JsonObject;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#head = this.#headOf({});
  }

  /** null where the event says nothing that the canonical form has. */
  take(event: JsonObject, text: string): Chunk | null {
    this.#head = this.#headOf(event);
    const candidates = objectsOf(event.candidates);
    const sourceOf = candidateSources(() => text);
    const choices = candidates.map((candidate, place) =>
      this.#choice(candidate, place, () => sourceOf(place)),
    );
    const reason = blockReason(event);
    if (choices.length === 0 && reason !== undefined) {
      const delta = { role: 'assistant', content: '' };
      choices.push({ index: 0, delta, ...endOf(blockedFinish(reason)) });
    }
    return choices.length === 0 ? null : { ...this.#head, choices };
  }

  /** The last chunk, which has no choices. */
  usage(usage: ProviderUsage): Chunk {
    return { ...this.#head, choices: [], usage: toCanonicalUsage(usage) };
  }

  #headOf(event: JsonObject): JsonObject {
    return {
      id: answerId(event, this.#context),
      object: 'chat.completion.chunk',
      created: this.#context.createdSeconds,
      model: modelOf(event, this.#context),
    };
  }

  #choice(candidate: JsonObject, place: number, source: () => string): JsonObject {
    const index = typeof candidate.index === 'number' ? candidate.index : place;
    const before = this.#calls.get(index);
    let calls = before ?? 0;
    const answer = String(this.#head.id);
    const argumentsOf = argumentsIn(() => jsonSource(source(), ['content', 'parts']));
    const said = decodeModelParts(partsOf(candidate), argumentsOf, (_name, given) => {
      calls += 1;
      return given ?? madeId(answer, index, calls - 1);
    });
    this.#calls.set(index, calls);
    const finish = finishOf(candidate.finishReason, calls > 0);
    const logprobs = decodeLogprobs(candidate);
    return {
      index,
      delta: {
        ...(before === undefined ? { role: 'assistant', content: '' } : {}),
        ...said.message,
        ...this.#pieces(said.message.tool_calls, before ?? 0),
      },
      ...(logprobs === undefined ? {} : { logprobs }),
      ...(finish === null ? { finish_reason: null } : endOf(finish)),
    };
  }

  #pieces(calls: JsonValue | undefined, before: number): JsonObject {
    if (calls === undefined) return {};
    const pieces = objectsOf(calls).map((call, at) => ({ index: before + at, ...call }));
    const kept = this.#context.oneCall ? pieces.filter(({ index }) => index === 0) : pieces;
    return { tool_calls: kept.length === 0 ? undefined : kept };
  }
}

/** Characters of text, thoughts and arguments that an event carries. */
export function charactersOf(event: JsonObject): number {
  let characters = 0;
  for (const candidate of objectsOf(event.candidates)) {
    for (const { text, functionCall: call } of partsOf(candidate)) {
      if (typeof text === 'string') characters += text.length;
      if (isJsonObject(call)) characters += JSON.stringify(call.args ?? {}).length;
    }
  }
  return characters;
}
