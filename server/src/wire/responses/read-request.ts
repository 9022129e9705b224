/**
 * Reads what the gateway itself needs to know of a request in OpenAI's Responses dialect: the
 * model, whether it streams, how much it may produce, and what it has to do with stored answers.
 *
 * Only what is used, here or in translating to the canonical form, is checked; unknown fields,
 * items and parts are the provider's to judge.
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
import { numberOf, textOf } from '../values.ts';

export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  /** Streams of this dialect tell their usage unasked; a provider is asked for it where needed. */
  readonly includeUsage: false;
  readonly maxOutputTokens: number | null;
  readonly choices: 1;
  readonly temperature: number | null;
}

/** What a request has to do with stored answers. */
export interface ThreadFacts {
  /** The answer is to be kept: so it is unless the client says no. */
  readonly keep: boolean;
  /** The answer that this request goes on from. */
  readonly previousId: string | null;
}

type Read = ReadResult<RequestFacts, { readonly thread: ThreadFacts }>;

const MAX_ID_CHARACTERS = 128;
const MAX_METADATA = 16;

export function readRequest(body: JsonObject): Read {
  const problem = checkModel(body.model) ?? checkInput(body) ?? checkSettings(body);
  if (problem !== null) return { kind: 'refused', problem };
  return {
    kind: 'read',
    facts: {
      model: String(body.model),
      stream: body.stream === true,
      includeUsage: false,
      maxOutputTokens: numberOf(body.max_output_tokens),
      choices: 1,
      temperature: numberOf(body.temperature),
    },
    thread: { keep: body.store !== false, previousId: textOf(body.previous_response_id) },
  };
}

function checkInput({ input, previous_response_id: previous, prompt }: JsonObject) {
  if (previous != null && !isId(previous)) return expected('previous_response_id', 'an id');
  if (typeof input === 'string') return null;
  if (input == null && (previous != null || prompt != null)) return null;
  if (!isJsonArray(input) || input.length === 0) {
    return expected('input', 'a text or a list of at least one item');
  }
  return firstProblem(input, (item, index) => checkItem(`input[${index}]`, item));
}

function isId(value: JsonValue): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARACTERS;
}

function checkItem(field: string, item: JsonValue): RequestProblem | null {
  if (!isJsonObject(item)) return expected(field, 'an object');
  const { type } = item;
  if (type == null || type === 'message') return checkMessage(field, item);
  switch (type) {
    case 'function_call':
      return (
        checkText(`${field}.call_id`, item.call_id) ??
        checkText(`${field}.name`, item.name) ??
        checkText(`${field}.arguments`, item.arguments)
      );
    case 'function_call_output':
      return (
        checkText(`${field}.call_id`, item.call_id) ?? checkContent(`${field}.output`, item.output)
      );
    case 'reasoning':
      return item.summary == null ? null : checkParts(`${field}.summary`, item.summary);
    default:
      return typeof type === 'string' ? null : expected(`${field}.type`, 'a text');
  }
}

function checkMessage(field: string, item: JsonObject): RequestProblem | null {
  if (typeof item.role !== 'string' || !/^[a-z_]{1,64}$/.test(item.role)) {
    return expected(`${field}.role`, '"user", "assistant", "system" or "developer"');
  }
  return checkContent(`${field}.content`, item.content);
}

function checkContent(field: string, content: JsonValue | undefined): RequestProblem | null {
  return typeof content === 'string' ? null : checkParts(field, content);
}

function checkParts(field: string, parts: JsonValue | undefined): RequestProblem | null {
  if (!isJsonArray(parts)) return expected(field, 'a text or a list of parts');
  return firstProblem(parts, (part, index) => checkPart(`${field}[${index}]`, part));
}

const TEXTS = new Set(['input_text', 'output_text', 'summary_text', 'reasoning_text']);

function checkPart(field: string, part: JsonValue): RequestProblem | null {
  if (!isJsonObject(part)) return expected(field, 'an object');
  const { type } = part;
  if (typeof type !== 'string') return expected(`${field}.type`, 'a text such as "input_text"');
  if (TEXTS.has(type)) return checkText(`${field}.text`, part.text);
  if (type === 'refusal') return checkText(`${field}.refusal`, part.refusal);
  return null;
}

function checkText(field: string, value: JsonValue | undefined): RequestProblem | null {
  return typeof value === 'string' ? null : expected(field, 'a text');
}

function checkSettings(body: JsonObject): RequestProblem | null {
  const limit = { min: 0, max: MAX_OUTPUT_TOKENS };
  return (
    checkBoolean('stream', body.stream) ??
    checkBoolean('store', body.store) ??
    checkBoolean('background', body.background) ??
    checkBoolean('parallel_tool_calls', body.parallel_tool_calls) ??
    checkInteger('max_output_tokens', body.max_output_tokens, limit) ??
    checkNumber('temperature', body.temperature) ??
    checkNumber('top_p', body.top_p) ??
    checkInstructions(body.instructions) ??
    checkMetadata(body.metadata) ??
    checkObject('reasoning', body.reasoning) ??
    checkObject('text', body.text) ??
    checkTools(body.tools)
  );
}

function checkInstructions(value: JsonValue | undefined): RequestProblem | null {
  return value == null ? null : checkText('instructions', value);
}

function checkObject(field: string, value: JsonValue | undefined): RequestProblem | null {
  return value == null || isJsonObject(value) ? null : expected(field, 'an object');
}

/** Given back with the answer, and so held to its form. */
function checkMetadata(metadata: JsonValue | undefined): RequestProblem | null {
  if (metadata == null) return null;
  const values = isJsonObject(metadata) ? Object.values(metadata) : null;
  const isFine =
    values !== null &&
    values.length <= MAX_METADATA &&
    values.every((value) => typeof value === 'string');
  return isFine ? null : expected('metadata', `an object of at most ${MAX_METADATA} texts`);
}

function checkTools(tools: JsonValue | undefined): RequestProblem | null {
  if (tools == null) return null;
  if (!isJsonArray(tools)) return expected('tools', 'a list');
  return firstProblem(tools, (tool, index) => {
    const field = `tools[${index}]`;
    if (!isJsonObject(tool)) return expected(field, 'an object');
    return tool.type === 'function' ? checkText(`${field}.name`, tool.name) : null;
  });
}
