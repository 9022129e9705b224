/**
 * Figures for what is not known yet, or never told: the most a request can cost (reserved from
 * budgets), the tokens it will likely take (counted against a limit per minute), and the usage
 * of an answer whose provider did not say.
 *
 * Invariant: the upper bound is one. A token is at least one byte, so the body's bytes bound
 * its text; images, files and the offer of tools cost tokens that bytes do not bound, so each
 * adds a fixed allowance.
 */
import { isJsonArray, isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Nanousd, PicousdPerToken } from '../../kernel/money.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Target } from '../model/target.ts';
import type { Usage } from '../model/usage.ts';

/** Output of a model whose limit nobody stated, when the client states none either. */
const DEFAULT_MAX_OUTPUT_TOKENS = 131_072;
/** More than the dearest image: one of 2048 × 768 pixels in high detail at gpt-4o-mini. */
const IMAGE_TOKENS = 50_000;
/** A file can fill the largest context window on the market. */
const FILE_TOKENS = 1_048_576;
/** More than the hidden instructions that providers add when tools are offered. */
const TOOLS_TOKENS = 1024;

const BYTES_PER_TOKEN = 4;
const EXPECTED_OUTPUT_TOKENS = 512;

/**
 * The most the request can cost at any of the targets, in nano-dollars, at most the largest
 * safe integer. null when one of them has no price.
 */
export function upperBoundNanousd(
  request: InferenceRequest,
  targets: readonly Target[],
): Nanousd | null {
  if (request.operation === 'count_tokens') return 0;
  const { messages, tools } = request.body;
  const toolsTokens = tools === undefined ? 0 : TOOLS_TOKENS;
  const inputTokens = inputBytes(request) + attachmentTokens(messages) + toolsTokens;
  let bound = 0;
  for (const target of targets) {
    if (target.price === null) return null;
    const { inputPicousd, cachedInputPicousd, cacheWritePicousd = 0, outputPicousd } = target.price;
    const cost = ceilNanousd(
      [inputTokens, Math.max(inputPicousd, cachedInputPicousd, cacheWritePicousd)],
      [maxOutputTokens(request, target), outputPicousd],
    );
    bound = Math.max(bound, cost);
  }
  return bound;
}

/** Tokens a request will likely take; corrected by the real usage afterwards. */
export function expectedTokens(request: InferenceRequest): number {
  if (request.operation === 'count_tokens') return 0;
  return expectedInputTokens(request) + expectedOutputTokens(request);
}

export function expectedInputTokens(request: InferenceRequest): number {
  return Math.ceil(inputBytes(request) / BYTES_PER_TOKEN);
}

export function expectedOutputTokens(request: InferenceRequest): number {
  if (request.operation === 'embedding') return 0;
  const perChoice = Math.min(request.maxOutputTokens ?? Infinity, EXPECTED_OUTPUT_TOKENS);
  return perChoice * request.choices;
}

/** What the request will likely cost at a target, to compare it; null where it has no price. */
export function expectedNanousd(request: InferenceRequest, { price }: Target): Nanousd | null {
  if (price === null) return null;
  if (request.operation === 'count_tokens') return 0;
  return ceilNanousd(
    [expectedInputTokens(request), price.inputPicousd],
    [expectedOutputTokens(request), price.outputPicousd],
  );
}

/** Usage of an answer whose provider told none: it was cut short, or never does. */
export function estimateUsage(request: InferenceRequest, producedCharacters: number): Usage {
  const most = (request.maxOutputTokens ?? Infinity) * request.choices;
  const outputTokens = Math.min(most, Math.ceil(producedCharacters / BYTES_PER_TOKEN));
  return {
    inputTokens: expectedInputTokens(request),
    cachedInputTokens: 0,
    outputTokens: request.operation === 'embedding' ? 0 : outputTokens,
    reasoningTokens: 0,
    source: 'estimated',
  };
}

function inputBytes({ bytes, contextBytes = 0 }: InferenceRequest): number {
  return bytes.length + contextBytes;
}

function maxOutputTokens(request: InferenceRequest, target: Target): number {
  if (request.operation === 'embedding') return 0;
  const perChoice = request.maxOutputTokens ?? target.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS;
  return perChoice * request.choices * promptCount(request.body.prompt);
}

/** A list of texts is answered one by one; a list of numbers is one text in tokens. */
function promptCount(prompt: JsonValue | undefined): number {
  return isJsonArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(1, prompt.length) : 1;
}

/** Rounded up, in arbitrary precision: what a client writes into `max_tokens` is unbounded. */
function ceilNanousd(...parts: readonly (readonly [number, PicousdPerToken])[]): Nanousd {
  let picousd = 0n;
  for (const [tokens, price] of parts) picousd += wholeTokens(tokens) * BigInt(price);
  const nanousd = (picousd + 999n) / 1000n;
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(nanousd < largest ? nanousd : largest);
}

function wholeTokens(tokens: number): bigint {
  return BigInt(Math.ceil(Math.min(tokens, Number.MAX_SAFE_INTEGER)));
}

function attachmentTokens(messages: JsonValue | undefined): number {
  if (!isJsonArray(messages)) return 0;
  let tokens = 0;
  for (const message of messages) {
    const content = isJsonObject(message) ? message.content : undefined;
    if (!isJsonArray(content)) continue;
    for (const part of content) tokens += isJsonObject(part) ? partTokens(part.type) : 0;
  }
  return tokens;
}

function partTokens(type: JsonValue | undefined): number {
  if (type === 'image_url') return IMAGE_TOKENS;
  return type === 'file' ? FILE_TOKENS : 0;
}
