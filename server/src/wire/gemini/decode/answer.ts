/**
 * An answer of this wire in the canonical form. A prompt that was refused as a whole becomes a
 * choice without text that ended by the content filter.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { jsonItems, jsonSource } from '../../../kernel/json-source.ts';
import type { FinishReason } from '../../decoded.ts';
import { objectsOf } from '../fields.ts';
import { blockedFinish, type Finish, finishOf } from '../finish-reason.ts';
import { decodeLogprobs } from '../logprobs.ts';
import { madeId } from '../made-ids.ts';
import { decodeUsage, toCanonicalUsage } from '../usage.ts';
import { argumentsIn } from './arguments.ts';
import { decodeModelParts } from './model-parts.ts';

export interface AnswerContext {
  /** The model that was asked. */
  readonly model: string;
  /** For an answer that has no id of its own. */
  readonly id: string;
  /** Keeps the first of several calls: the client wants one at a time. */
  readonly oneCall: boolean;
  /** Seconds since the epoch. */
  readonly createdSeconds: number;
}

export interface DecodedAnswer {
  readonly body: JsonObject;
  readonly finishReasons: readonly FinishReason[];
}

interface DecodedChoice {
  readonly choice: JsonObject;
  readonly finish: Finish;
}

/** A candidate that does not say why it ended. */
const UNSAID: Finish = { reason: 'other', canonical: 'stop', word: null };

/** `text` is that of the whole answer. */
export function decodeAnswer(
  answer: JsonObject,
  text: () => string,
  context: AnswerContext,
): DecodedAnswer {
  const id = answerId(answer, context);
  const sourceOf = candidateSources(text);
  const decoded = objectsOf(answer.candidates).map((candidate, index) =>
    choiceOf(candidate, index, () => sourceOf(index), { ...context, id }),
  );
  const choices = decoded.length === 0 ? blockedChoices(answer) : decoded;
  const usage = decodeUsage(answer.usageMetadata);
  return {
    body: {
      id,
      object: 'chat.completion',
      created: context.createdSeconds,
      model: modelOf(answer, context),
      choices: choices.map(({ choice }) => choice),
      ...(usage === null ? {} : { usage: toCanonicalUsage(usage) }),
    },
    finishReasons: finishReasonsOf(answer),
  };
}

/** Why each candidate ended, or the prompt was refused. */
export function finishReasonsOf(answer: JsonObject): readonly FinishReason[] {
  const candidates = objectsOf(answer.candidates);
  if (candidates.length === 0 && blockReason(answer) !== undefined) return ['content_filter'];
  return candidates.flatMap((candidate) => {
    const finish = finishOf(candidate.finishReason, hasCalls(candidate));
    return finish === null ? [] : [finish.reason];
  });
}

/** The id that the answer has, else the one of its context. */
export function answerId(answer: JsonObject, context: AnswerContext): string {
  const { responseId } = answer;
  return typeof responseId === 'string' && responseId !== '' ? responseId : context.id;
}

export function modelOf(answer: JsonObject, context: AnswerContext): string {
  return typeof answer.modelVersion === 'string' ? answer.modelVersion : context.model;
}

/** The reason a prompt was refused for; undefined where it was not. */
export function blockReason(answer: JsonObject): JsonValue | undefined {
  const { promptFeedback } = answer;
  return isJsonObject(promptFeedback) ? (promptFeedback.blockReason ?? undefined) : undefined;
}

export function partsOf(candidate: JsonObject): readonly JsonObject[] {
  return isJsonObject(candidate.content) ? objectsOf(candidate.content.parts) : [];
}

function hasCalls(candidate: JsonObject): boolean {
  return partsOf(candidate).some(({ functionCall }) => isJsonObject(functionCall));
}

function blockedChoices(answer: JsonObject): readonly DecodedChoice[] {
  const reason = blockReason(answer);
  if (reason === undefined) return [];
  const finish = blockedFinish(reason);
  const message = { role: 'assistant', content: null };
  return [{ choice: { index: 0, message, ...endOf(finish) }, finish }];
}

function choiceOf(
  candidate: JsonObject,
  place: number,
  source: () => string,
  { id, oneCall }: AnswerContext,
): DecodedChoice {
  const index = typeof candidate.index === 'number' ? candidate.index : place;
  const argumentsOf = argumentsIn(() => jsonSource(source(), ['content', 'parts']));
  let calls = 0;
  const said = decodeModelParts(partsOf(candidate), argumentsOf, (_name, given) => {
    calls += 1;
    return given ?? madeId(id, index, calls - 1);
  });
  const { tool_calls: all } = said.message;
  const message = {
    ...{ role: 'assistant', content: null },
    ...said.message,
    ...(oneCall && all !== undefined ? { tool_calls: objectsOf(all).slice(0, 1) } : {}),
  };
  const finish = finishOf(candidate.finishReason, said.calls > 0) ?? UNSAID;
  const logprobs = decodeLogprobs(candidate);
  const likely = logprobs === undefined ? {} : { logprobs };
  return { choice: { index, message, ...likely, ...endOf(finish) }, finish };
}

/** The text of each candidate, looked for when the first is wanted. */
export function candidateSources(text: () => string): (index: number) => string {
  let items: readonly string[] | null = null;
  return (index) => {
    items ??= jsonItems(jsonSource(text(), ['candidates']) ?? '[]');
    return items[index] ?? '{}';
  };
}

/** How a choice says why it ended. */
export function endOf({ canonical, word }: Finish): JsonObject {
  return {
    finish_reason: canonical,
    ...(word === null ? {} : { esclusa: { stop_reason: word } }),
  };
}
