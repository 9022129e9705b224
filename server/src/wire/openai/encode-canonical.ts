/**
 * A request of another dialect as a body of OpenAI's wire. The canonical form has that shape
 * already; what remains is its extension bag, which no vendor knows: each entry is said the way
 * this wire can say it, or left out and named.
 *
 * Bags stand in known places only (body, message, part, tool call, tool): a tool's schema or
 * arguments may have a property of the same name, and keep it.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { encodeMessages } from './encode-messages.ts';
import type { OpenaiDropped, OpenaiRefused, Report } from './limits.ts';

export interface CanonicalTarget {
  /** The model's name at the provider. */
  readonly model: string;
  readonly stream: boolean;
  /** Asks for the usage chunk of the stream. */
  readonly askForUsage: boolean;
  /** The vendor knows `max_completion_tokens`; else the limit is called `max_tokens`. */
  readonly newerTokenLimit: boolean;
  /** The model takes `reasoning_effort`. */
  readonly reasoningEffort: boolean;
  /** The vendor takes the `reasoning_content` of earlier answers back. */
  readonly reasoningInput: boolean;
  /** Makes the error that is thrown for what the wire cannot say and the client would miss. */
  readonly refuse: (field: OpenaiRefused) => Error;
}

export interface EncodedBody {
  readonly body: JsonObject;
  /** Fixed names of fields that this wire, vendor or model cannot carry, each once. */
  readonly dropped: readonly OpenaiDropped[];
}

const BAG = 'esclusa';
/** Budgets up to these many tokens are a little and a middling effort; above is a high one. */
const LOW_BUDGET_TOKENS = 4096;
const MEDIUM_BUDGET_TOKENS = 16_384;

type Members = Record<string, JsonValue | undefined>;

export function encodeCanonical(canonical: JsonObject, target: CanonicalTarget): EncodedBody {
  const dropped = new Set<OpenaiDropped>();
  const report: Report = { drop: (field) => dropped.add(field), refuse: target.refuse };
  const { [BAG]: bag, ...rest } = canonical;
  const body: Members = { ...rest, model: target.model };
  if (isJsonArray(body.messages)) {
    body.messages = encodeMessages(body.messages, target.reasoningInput, report);
  }
  if (isJsonArray(body.tools)) body.tools = body.tools.map((tool) => encodeTool(tool, report));
  if (isJsonObject(bag)) sayBag(bag, body, target, report);
  sayStream(body, target);
  sayTokenLimit(body, target);
  return { body, dropped: [...dropped].sort() };
}

function sayBag(bag: JsonObject, body: Members, target: CanonicalTarget, report: Report): void {
  if (bag.top_k !== undefined) report.drop('top_k');
  if (bag.cache_control !== undefined) report.drop('cache_control');
  if (isJsonObject(bag.thinking)) sayThinking(bag.thinking, body, target, report);
  if (!isJsonObject(bag.vendor)) return;
  for (const [dialect, settings] of Object.entries(bag.vendor)) {
    if (dialect !== 'openai') report.drop('vendor');
    else if (isJsonObject(settings)) Object.assign(body, { ...settings, ...body });
  }
}

/** A budget of tokens becomes an effort; what the vendor does by itself needs no word. */
function sayThinking(
  thinking: JsonObject,
  body: Members,
  target: CanonicalTarget,
  report: Report,
): void {
  if (body.reasoning_effort != null || thinking.mode === 'adaptive') return;
  if (!target.reasoningEffort) {
    if (thinking.mode === 'enabled') report.drop('thinking'); // the others do not think anyway
    return;
  }
  if (thinking.mode === 'disabled') report.drop('thinking');
  else if (typeof thinking.budget_tokens === 'number') {
    body.reasoning_effort = effortOf(thinking.budget_tokens);
  }
}

function effortOf(budgetTokens: number): string {
  if (budgetTokens <= LOW_BUDGET_TOKENS) return 'low';
  return budgetTokens <= MEDIUM_BUDGET_TOKENS ? 'medium' : 'high';
}

function sayStream(body: Members, { stream, askForUsage }: CanonicalTarget): void {
  delete body.stream;
  delete body.stream_options;
  if (stream) body.stream = true;
  if (stream && askForUsage) body.stream_options = { include_usage: true };
}

/** One limit under the name that the vendor knows; both were given only where they differ. */
function sayTokenLimit(body: Members, { newerTokenLimit }: CanonicalTarget): void {
  const [name, other] = newerTokenLimit
    ? ['max_completion_tokens', 'max_tokens']
    : ['max_tokens', 'max_completion_tokens'];
  if (body[other] === undefined || !('messages' in body)) return;
  body[name] ??= body[other];
  delete body[other];
}

function encodeTool(tool: JsonValue, report: Report): JsonValue {
  if (!isJsonObject(tool)) return tool;
  const { [BAG]: bag, ...rest } = tool;
  if (isJsonObject(bag) && bag.cache_control !== undefined) report.drop('cache_control');
  return rest;
}
