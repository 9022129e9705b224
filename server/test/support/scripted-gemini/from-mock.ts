/**
 * The mock's answers said in Gemini's words: answers, events, errors. Where a request asks for
 * thoughts, one comes first; calls are signed, and have ids only where the API gives them.
 */
import type { Json } from '../scripted-wire.ts';
import { signatureOf } from './check-request.ts';

export const THOUGHT = 'I should greet: “hello” deserves it.';

/** Two tokens of the prompt count as read from a cache, five as thought. */
export const CACHED_TOKENS = 2;
export const THOUGHT_TOKENS = 5;

const FINISH: Readonly<Record<string, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  content_filter: 'SAFETY',
};

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export interface Manner {
  readonly thinks: boolean;
  readonly givesIds: boolean;
}

/** A bad key is a 400 here, told by its reason. */
export function errorText(status: number, body: Json): string {
  const { message = 'Something failed.', code: reason } = body?.error ?? {};
  const details =
    reason === 'API_KEY_INVALID'
      ? [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }]
      : [];
  const error = { code: status, message, status: STATUS[status] ?? 'UNKNOWN' };
  return JSON.stringify({ error: { ...error, ...(details.length > 0 ? { details } : {}) } });
}

export function answerText(body: Json, manner: Manner): string {
  const candidates = body.choices.map(({ index, message, finish_reason: finish }: Json) => ({
    content: { role: 'model', parts: partsOf(message, manner) },
    finishReason: FINISH[finish] ?? 'OTHER',
    index,
  }));
  // Complete answers are printed on several lines, as Google's are.
  return JSON.stringify({ candidates, ...tailOf(body, manner) }, null, 2);
}

export class EventWriter {
  readonly #manner: Manner;
  readonly #calls = new Map<number, Json>();
  readonly #finished: Json[] = [];
  #chunk: Json = null;
  #usage: Json = null;

  constructor(manner: Manner) {
    this.#manner = manner;
  }

  /** The events for one chunk of the mock; the end of a candidate waits for the usage. */
  take(chunk: Json): string {
    const isFirst = this.#chunk === null;
    this.#chunk = chunk;
    this.#usage = chunk.usage ?? this.#usage;
    let out =
      isFirst && this.#manner.thinks ? this.#event(0, [{ text: THOUGHT, thought: true }]) : '';
    for (const choice of chunk.choices) {
      for (const piece of choice.delta.tool_calls ?? []) this.#addPiece(piece);
      if (choice.delta.content) out += this.#event(choice.index, [{ text: choice.delta.content }]);
      if (choice.finish_reason) this.#finished.push(choice);
    }
    return out;
  }

  end(): string {
    const candidates = this.#finished.map(({ index, finish_reason: finish }) => {
      const calls = index === 0 ? [...this.#calls.values()] : [];
      const parts = calls.map((call, at) => callPart(call, at, this.#manner));
      const content = { role: 'model', parts: parts.length === 0 ? [{ text: '' }] : parts };
      return { content, finishReason: FINISH[finish] ?? 'OTHER', index };
    });
    return event({ candidates, ...tailOf({ ...this.#chunk, usage: this.#usage }, this.#manner) });
  }

  #event(index: number, parts: Json[]): string {
    const named = tailOf({ ...this.#chunk, usage: null }, this.#manner);
    return event({ candidates: [{ content: { role: 'model', parts }, index }], ...named });
  }

  #addPiece({ index, id, function: { name, arguments: written } }: Json): void {
    const call = this.#calls.get(index) ?? { id, function: { name, arguments: '' } };
    call.function.arguments += written ?? '';
    this.#calls.set(index, call);
  }
}

export function event(data: Json): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

function partsOf(message: Json, manner: Manner): Json[] {
  const parts: Json[] = manner.thinks ? [{ text: THOUGHT, thought: true }] : [];
  if (message.content) parts.push({ text: message.content });
  const calls = message.tool_calls ?? [];
  return [...parts, ...calls.map((call: Json, at: number) => callPart(call, at, manner))];
}

/** Of several calls at once the first is signed. */
function callPart({ id, function: called }: Json, at: number, { givesIds }: Manner): Json {
  const args = JSON.parse(called.arguments);
  const signed = at === 0 ? { thoughtSignature: signatureOf(called.name, args) } : {};
  const named = givesIds ? { id: `fc-${id}` } : {};
  return { functionCall: { ...named, name: called.name, args }, ...signed };
}

function tailOf({ id, model, usage }: Json, { thinks }: Manner): Json {
  const named = { modelVersion: model, responseId: id };
  if (!usage) return named;
  const { prompt_tokens: prompt, completion_tokens: answer } = usage;
  const thoughts = thinks ? THOUGHT_TOKENS : 0;
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: answer,
      totalTokenCount: prompt + answer + thoughts,
      cachedContentTokenCount: CACHED_TOKENS,
      ...(thinks ? { thoughtsTokenCount: thoughts } : {}),
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
    },
    ...named,
  };
}
