/**
 * Reads what the gateway itself needs to know of an OpenAI request: the model, whether it
 * streams, and how much it may produce.
 *
 * Only fields that are used are checked; everything else is left to the provider, which knows
 * its own limits. The body is parsed already, and nothing of it is changed here.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import {
  checkBoolean,
  checkInteger,
  checkModel,
  checkNumber,
  expected,
  firstProblem,
  MAX_OUTPUT_TOKENS,
  type ReadResult,
  type RequestProblem,
} from '../request-problem.ts';
import { checkMessages } from './read-messages.ts';

export type RequestOperation = 'chat' | 'completion' | 'embedding';

export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  /** The client asked for the usage chunk of a stream. */
  readonly includeUsage: boolean;
  /** The larger one where both limits are given; null when there is none. */
  readonly maxOutputTokens: number | null;
  /** Answers produced: prompts times the larger of `n` and `best_of`; at least 1. */
  readonly choices: number;
  readonly temperature: number | null;
}

const MAX_CHOICES = 128;

export function readRequest(
  operation: RequestOperation,
  body: JsonObject,
): ReadResult<RequestFacts> {
  const problem = checkModel(body.model) ?? CHECKS[operation](body);
  if (problem !== null) return { kind: 'refused', problem };
  const stream = operation !== 'embedding' && body.stream === true;
  return {
    kind: 'read',
    facts: {
      model: String(body.model),
      stream,
      includeUsage: stream && asksForUsage(body.stream_options),
      maxOutputTokens: operation === 'embedding' ? null : outputLimit(body),
      choices: operation === 'embedding' ? 1 : countChoices(operation, body),
      temperature: operation === 'embedding' ? null : numberOrNull(body.temperature),
    },
  };
}

const CHECKS: Readonly<Record<RequestOperation, (body: JsonObject) => RequestProblem | null>> = {
  chat: (body) => checkMessages(body.messages) ?? checkGeneration(body),
  completion: (body) => checkPrompt(body) ?? checkGeneration(body),
  embedding: (body) => checkTexts('input', body.input),
};

function checkGeneration(body: JsonObject): RequestProblem | null {
  const tokens = { min: 0, max: MAX_OUTPUT_TOKENS };
  const choices = { min: 1, max: MAX_CHOICES };
  return (
    checkBoolean('stream', body.stream) ??
    checkStreamOptions(body.stream_options) ??
    checkInteger('max_tokens', body.max_tokens, tokens) ??
    checkInteger('max_completion_tokens', body.max_completion_tokens, tokens) ??
    checkInteger('n', body.n, choices) ??
    checkInteger('best_of', body.best_of, choices) ??
    checkNumber('temperature', body.temperature)
  );
}

function checkStreamOptions(options: JsonValue | undefined): RequestProblem | null {
  if (options == null) return null;
  if (!isJsonObject(options)) return expected('stream_options', 'an object');
  return checkBoolean('stream_options.include_usage', options.include_usage);
}

function checkPrompt(body: JsonObject): RequestProblem | null {
  return body.prompt === null ? null : checkTexts('prompt', body.prompt);
}

/** A text, a list of texts, a list of token numbers, or a list of such lists. */
function checkTexts(field: string, value: JsonValue | undefined): RequestProblem | null {
  if (typeof value === 'string') return null;
  if (!isJsonArray(value) || value.length === 0) {
    return expected(field, 'a text or a list of texts or tokens, not empty');
  }
  return firstProblem(value, (item, index) =>
    typeof item === 'string' || Number.isInteger(item) || isTokenList(item)
      ? null
      : expected(`${field}[${index}]`, 'a text, a token or a list of tokens'),
  );
}

function isTokenList(value: JsonValue): boolean {
  return isJsonArray(value) && value.every((item) => Number.isInteger(item));
}

function asksForUsage(options: JsonValue | undefined): boolean {
  return isJsonObject(options) && options.include_usage === true;
}

function outputLimit(body: JsonObject): number | null {
  const older = numberOrNull(body.max_tokens);
  const newer = numberOrNull(body.max_completion_tokens);
  return older === null || newer === null ? (older ?? newer) : Math.max(older, newer);
}

function countChoices(operation: RequestOperation, body: JsonObject): number {
  const perPrompt = Math.max(numberOrNull(body.n) ?? 1, numberOrNull(body.best_of) ?? 1);
  return operation === 'completion' ? perPrompt * countPrompts(body.prompt) : perPrompt;
}

/** A list of numbers is one prompt in tokens; any other list holds one prompt per item. */
function countPrompts(prompt: JsonValue | undefined): number {
  return isJsonArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
}

function numberOrNull(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
