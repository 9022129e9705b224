/**
 * Reads what the gateway itself needs to know of a request: how much it may produce, how many
 * candidates, at what temperature. The model and whether it streams stand in the path.
 *
 * Only fields that are used are checked; everything else is left to the provider, which knows
 * its own limits. The body is parsed already, and nothing of it is changed here.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import {
  checkInteger,
  checkNumber,
  expected,
  firstProblem,
  MAX_OUTPUT_TOKENS,
  type ReadResult,
  type RequestProblem,
} from '../request-problem.ts';
import { field, nameOf, objectField } from './fields.ts';

export interface RequestFacts {
  /** null when there is no limit. */
  readonly maxOutputTokens: number | null;
  /** Candidates asked for, at least 1. */
  readonly choices: number;
  readonly temperature: number | null;
}

const MAX_CANDIDATES = 128;
const NO_FACTS: RequestFacts = { maxOutputTokens: null, choices: 1, temperature: null };

export function readChatRequest(body: JsonObject): ReadResult<RequestFacts> {
  return result(checkChat(body), () => chatFacts(body));
}

export function readCountRequest(body: JsonObject): ReadResult<RequestFacts> {
  const name = nameOf(body, 'generateContentRequest');
  if (name === null) return result(checkChat(body), () => NO_FACTS);
  const inner = body[name];
  const problem = isJsonObject(inner) ? checkChat(inner) : expected(name, 'an object');
  return result(problem, () => NO_FACTS);
}

export function readEmbedRequest(body: JsonObject): ReadResult<RequestFacts> {
  return result(checkContent('content', body.content), () => NO_FACTS);
}

export function readBatchEmbedRequest(body: JsonObject): ReadResult<RequestFacts> {
  return result(checkRequests(body.requests), () => NO_FACTS);
}

function result(
  problem: RequestProblem | null,
  facts: () => RequestFacts,
): ReadResult<RequestFacts> {
  return problem === null ? { kind: 'read', facts: facts() } : { kind: 'refused', problem };
}

function checkChat(body: JsonObject): RequestProblem | null {
  const { contents, tools } = body;
  if (!isJsonArray(contents) || contents.length === 0) {
    return expected('contents', 'a list of at least one content');
  }
  return (
    firstProblem(contents, (content, index) => checkContent(`contents[${index}]`, content)) ??
    checkTools(tools) ??
    checkConfig(body)
  );
}

function checkContent(path: string, content: JsonValue | undefined): RequestProblem | null {
  if (!isJsonObject(content)) return expected(path, 'an object with a list of parts');
  const { role, parts } = content;
  if (role != null && typeof role !== 'string') return expected(`${path}.role`, 'a text');
  if (parts == null) return null;
  if (!isJsonArray(parts)) return expected(`${path}.parts`, 'a list of parts');
  return firstProblem(parts, (part, index) => {
    const at = `${path}.parts[${index}]`;
    if (!isJsonObject(part)) return expected(at, 'an object');
    if (part.text != null && typeof part.text !== 'string') return expected(`${at}.text`, 'a text');
    return null;
  });
}

function checkTools(tools: JsonValue | undefined): RequestProblem | null {
  if (tools == null) return null;
  if (!isJsonArray(tools)) return expected('tools', 'a list of tools');
  return firstProblem(tools, (tool, index) =>
    isJsonObject(tool) ? null : expected(`tools[${index}]`, 'an object'),
  );
}

function checkConfig(body: JsonObject): RequestProblem | null {
  const name = nameOf(body, 'generationConfig');
  const config = name === null ? null : body[name];
  if (name === null || config == null) return null;
  if (!isJsonObject(config)) return expected(name, 'an object');
  const tokens = { min: 0, max: MAX_OUTPUT_TOKENS };
  const candidates = { min: 1, max: MAX_CANDIDATES };
  return (
    checkInteger(`${name}.maxOutputTokens`, field(config, 'maxOutputTokens'), tokens) ??
    checkInteger(`${name}.candidateCount`, field(config, 'candidateCount'), candidates) ??
    checkNumber(`${name}.temperature`, config.temperature)
  );
}

function checkRequests(requests: JsonValue | undefined): RequestProblem | null {
  if (!isJsonArray(requests) || requests.length === 0) {
    return expected('requests', 'a list of at least one request');
  }
  return firstProblem(requests, (request, index) =>
    isJsonObject(request)
      ? checkContent(`requests[${index}].content`, request.content)
      : expected(`requests[${index}]`, 'an object'),
  );
}

function chatFacts(body: JsonObject): RequestFacts {
  const config = objectField(body, 'generationConfig');
  if (config === null) return NO_FACTS;
  return {
    maxOutputTokens: numberOrNull(field(config, 'maxOutputTokens')),
    choices: numberOrNull(field(config, 'candidateCount')) ?? 1,
    temperature: numberOrNull(config.temperature),
  };
}

function numberOrNull(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
