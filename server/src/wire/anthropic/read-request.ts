/**
 * Reads what the gateway itself needs to know of a request in Anthropic's dialect: the model,
 * whether it streams, and how much it may produce.
 *
 * Only what is used, here or in translating to the canonical form, is checked; unknown fields,
 * roles and blocks are the provider's to judge.
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
import { numberOf } from '../values.ts';

export type RequestOperation = 'chat' | 'count_tokens';

export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  /** Streams of this dialect tell their usage unasked; a provider is asked for it where needed. */
  readonly includeUsage: false;
  readonly maxOutputTokens: number | null;
  readonly choices: 1;
  readonly temperature: number | null;
}

export function readRequest(
  operation: RequestOperation,
  body: JsonObject,
): ReadResult<RequestFacts> {
  const problem = checkModel(body.model) ?? checkMessages(body) ?? checkSettings(body);
  if (problem !== null) return { kind: 'refused', problem };
  const runs = operation === 'chat';
  return {
    kind: 'read',
    facts: {
      model: String(body.model),
      stream: runs && body.stream === true,
      includeUsage: false,
      maxOutputTokens: runs ? numberOf(body.max_tokens) : null,
      choices: 1,
      temperature: runs ? numberOf(body.temperature) : null,
    },
  };
}

function checkSettings(body: JsonObject): RequestProblem | null {
  return (
    checkBoolean('stream', body.stream) ??
    checkInteger('max_tokens', body.max_tokens, { min: 0, max: MAX_OUTPUT_TOKENS }) ??
    checkNumber('temperature', body.temperature) ??
    checkNumber('top_p', body.top_p) ??
    checkNumber('top_k', body.top_k) ??
    checkTexts('stop_sequences', body.stop_sequences) ??
    checkTools(body.tools)
  );
}

function checkMessages(body: JsonObject): RequestProblem | null {
  const { messages, system } = body;
  if (!isJsonArray(messages) || messages.length === 0) {
    return expected('messages', 'a list of at least one message');
  }
  const problem = system == null ? null : checkContent('system', system);
  return (
    problem ?? firstProblem(messages, (item, index) => checkMessage(`messages[${index}]`, item))
  );
}

function checkMessage(field: string, message: JsonValue): RequestProblem | null {
  if (!isJsonObject(message)) return expected(field, 'an object');
  const { role, content } = message;
  if (typeof role !== 'string' || !/^[a-z_]{1,64}$/.test(role)) {
    return expected(`${field}.role`, '"user" or "assistant"');
  }
  return checkContent(`${field}.content`, content);
}

function checkContent(field: string, content: JsonValue | undefined): RequestProblem | null {
  if (typeof content === 'string') return null;
  if (!isJsonArray(content)) return expected(field, 'a text or a list of content blocks');
  return firstProblem(content, (block, index) => checkBlock(`${field}[${index}]`, block));
}

function checkBlock(field: string, block: JsonValue): RequestProblem | null {
  if (!isJsonObject(block)) return expected(field, 'an object');
  switch (block.type) {
    case 'text':
      return typeof block.text === 'string' ? null : expected(`${field}.text`, 'a text');
    case 'tool_use':
      return checkToolUse(field, block);
    case 'tool_result':
      if (typeof block.tool_use_id !== 'string') return expected(`${field}.tool_use_id`, 'a text');
      return block.content == null ? null : checkContent(`${field}.content`, block.content);
    case 'image':
    case 'document':
      return isJsonObject(block.source) ? null : expected(`${field}.source`, 'an object');
    default:
      return typeof block.type === 'string' ? null : expected(`${field}.type`, 'a text');
  }
}

function checkToolUse(field: string, block: JsonObject): RequestProblem | null {
  if (typeof block.id !== 'string') return expected(`${field}.id`, 'a text');
  if (typeof block.name !== 'string') return expected(`${field}.name`, 'a text');
  return isJsonObject(block.input) ? null : expected(`${field}.input`, 'an object');
}

function checkTools(tools: JsonValue | undefined): RequestProblem | null {
  if (tools == null) return null;
  if (!isJsonArray(tools)) return expected('tools', 'a list');
  return firstProblem(tools, (tool, index) =>
    isJsonObject(tool) ? null : expected(`tools[${index}]`, 'an object'),
  );
}

function checkTexts(field: string, value: JsonValue | undefined): RequestProblem | null {
  if (value == null) return null;
  const isTexts = isJsonArray(value) && value.every((item) => typeof item === 'string');
  return isTexts ? null : expected(field, 'a list of texts');
}
