/**
 * The mock's answers on OpenAI's wire: whole bodies, and the events of streams. Shapes follow
 * the vendor's API document; the tests hold them against it.
 */
import type { JsonObject } from '../../kernel/json.ts';
import type { MockAnswer, MockChoice, MockUsage } from './answer.ts';
import { textPieces } from './tokens.ts';
import type { ToolCall } from './tool-calls.ts';

export interface AnswerHead {
  /** Random part of the answer's identifiers. */
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
}

export interface StreamForm {
  readonly includeUsage: boolean;
  readonly done: boolean;
}

const FINGERPRINT = 'fp_mock';

function encodeUsage(usage: MockUsage): JsonObject {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

export function encodeChat(head: AnswerHead, answer: MockAnswer): JsonObject {
  return {
    ...chatHead(head, 'chat.completion'),
    choices: answer.choices.map((choice, index) => ({
      index,
      message: encodeMessage(head, choice, index),
      logprobs: null,
      finish_reason: choice.finish,
    })),
    usage: encodeUsage(answer.usage),
    system_fingerprint: FINGERPRINT,
  };
}

function encodeMessage(head: AnswerHead, choice: MockChoice, index: number): JsonObject {
  return {
    role: 'assistant',
    content: choice.calls.length > 0 ? null : choice.text,
    refusal: null,
    ...(choice.reasoning === '' ? {} : { reasoning_content: choice.reasoning }),
    ...(choice.calls.length === 0
      ? { annotations: [] }
      : { tool_calls: choice.calls.map((call, at) => encodeCall(head, call, `${index}_${at}`)) }),
  };
}

function encodeCall(head: AnswerHead, call: ToolCall, suffix: string): JsonObject {
  return {
    id: `call_${head.id}_${suffix}`,
    type: 'function',
    function: { name: call.name, arguments: call.argumentsText },
  };
}

export function encodeCompletion(head: AnswerHead, answer: MockAnswer): JsonObject {
  return {
    ...completionHead(head),
    choices: answer.choices.map((choice, index) =>
      completionChoice(choice.text, index, choice.finish),
    ),
    usage: encodeUsage(answer.usage),
  };
}

/** The events of a chat stream in their order; the last is `[DONE]`. */
export function* chatEvents(
  head: AnswerHead,
  answer: MockAnswer,
  form: StreamForm,
): Generator<string> {
  const usage = form.includeUsage ? { usage: null } : {};
  const common = { ...chatHead(head, 'chat.completion.chunk'), system_fingerprint: FINGERPRINT };
  const deltas = answer.choices.map((choice, index) => choiceDeltas(head, choice, index));
  for (const [index, delta, finish] of interleave(deltas)) {
    const choice = { index, delta, logprobs: null, finish_reason: finish };
    yield event({ ...common, choices: [choice], ...usage });
  }
  if (form.includeUsage) yield event({ ...common, choices: [], usage: encodeUsage(answer.usage) });
  if (form.done) yield DONE;
}

/** The events of a legacy completion stream. */
export function* completionEvents(
  head: AnswerHead,
  answer: MockAnswer,
  form: StreamForm,
): Generator<string> {
  const usage = form.includeUsage ? { usage: null } : {};
  const pieces = answer.choices.map((choice, index) => completionDeltas(choice, index));
  for (const [index, text, finish] of interleave(pieces)) {
    yield event({
      ...completionHead(head),
      choices: [completionChoice(text, index, finish)],
      ...usage,
    });
  }
  if (form.includeUsage) {
    yield event({ ...completionHead(head), choices: [], usage: encodeUsage(answer.usage) });
  }
  if (form.done) yield DONE;
}

const DONE = 'data: [DONE]\n\n';

type Delta<T> = readonly [index: number, content: T, finish: string | null];

function* choiceDeltas(
  head: AnswerHead,
  choice: MockChoice,
  index: number,
): Generator<Delta<JsonObject>> {
  const content = choice.calls.length > 0 ? null : '';
  yield [index, { role: 'assistant', content, refusal: null }, null];
  for (const piece of textPieces(choice.reasoning)) {
    yield [index, { reasoning_content: piece }, null];
  }
  for (const piece of textPieces(choice.text)) yield [index, { content: piece }, null];
  for (const [at, call] of choice.calls.entries()) {
    const opening = encodeCall(head, { ...call, argumentsText: '' }, `${index}_${at}`);
    yield [index, { tool_calls: [{ index: at, ...opening }] }, null];
    for (const piece of textPieces(call.argumentsText)) {
      yield [index, { tool_calls: [{ index: at, function: { arguments: piece } }] }, null];
    }
  }
  yield [index, {}, choice.finish];
}

function* completionDeltas(choice: MockChoice, index: number): Generator<Delta<string>> {
  for (const piece of textPieces(choice.text)) yield [index, piece, null];
  yield [index, '', choice.finish];
}

/** One delta of each choice in turn, as parallel answers arrive. */
function* interleave<T>(sources: readonly Generator<Delta<T>>[]): Generator<Delta<T>> {
  let running = [...sources];
  while (running.length > 0) {
    const still: Generator<Delta<T>>[] = [];
    for (const source of running) {
      const step = source.next();
      if (step.done === true) continue;
      still.push(source);
      yield step.value;
    }
    running = still;
  }
}

function event(chunk: JsonObject): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function chatHead(head: AnswerHead, object: string): JsonObject {
  return {
    id: `chatcmpl-${head.id}`,
    object,
    created: head.createdSeconds,
    model: head.model,
    service_tier: 'default',
  };
}

function completionHead(head: AnswerHead): JsonObject {
  return {
    id: `cmpl-${head.id}`,
    object: 'text_completion',
    created: head.createdSeconds,
    model: head.model,
    system_fingerprint: FINGERPRINT,
  };
}

function completionChoice(text: string, index: number, finish: string | null): JsonObject {
  return { text, index, logprobs: null, finish_reason: finish };
}
