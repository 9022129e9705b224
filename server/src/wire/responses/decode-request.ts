/**
 * A request in the Responses dialect as a canonical body, with the fields that it cannot say.
 * The body was checked by `read-request` before.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { createReport, type DecodeReport } from '../anthropic/decode-report.ts';
import { compact, listOf, numberOf, objectOf, textOf, withBag } from '../values.ts';
import { decodeItems, itemsOf } from './decode-items.ts';

export interface DecodedRequest {
  readonly body: JsonObject;
  /** Fields without which the request would mean something else. */
  readonly needed: readonly string[];
  readonly dropped: readonly string[];
}

/** Fields translated below, or answered by the gateway itself. */
const UNDERSTOOD = new Set([
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'metadata',
  'model',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt_cache_key',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_p',
  'user',
]);
/** Fields that change what is done or where, and that only the vendor has. */
const NEEDED = ['conversation', 'prompt'];
/** Fields that change how it is done, or what is told about it. */
const DROPPED = [
  'context_management',
  'max_tool_calls',
  'moderation',
  'prompt_cache_options',
  'prompt_cache_retention',
];
/** What may be asked to be included and always is, where a model gives it. */
const INCLUDED = new Set<JsonValue>(['reasoning.encrypted_content']);

/** `earlier`: items of the answers that this request goes on from, oldest first. */
export function decodeRequest(
  source: JsonObject,
  earlier: readonly JsonObject[] = [],
): DecodedRequest {
  const report = createReport();
  const instructions = textOf(source.instructions);
  const items = [...earlier, ...itemsOf(source.input)];
  const messages = decodeItems(items, report, earlier.length);
  const body = compact({
    model: source.model,
    messages: [
      ...(instructions === null ? [] : [{ role: 'system', content: instructions }]),
      ...messages,
    ],
    ...decodeSettings(source),
    ...decodeTools(source, report),
    response_format: decodeFormat(objectOf(source.text).format, report),
    ...withBag({ thinking: decodeThinking(source.reasoning), vendor: decodeVendor(source) }),
  });
  noteOthers(source, report);
  return { body, needed: report.needed, dropped: report.dropped };
}

function decodeSettings(source: JsonObject): JsonObject {
  return {
    stream: source.stream === true ? true : undefined,
    max_completion_tokens: numberOf(source.max_output_tokens) ?? undefined,
    temperature: numberOf(source.temperature) ?? undefined,
    top_p: numberOf(source.top_p) ?? undefined,
    user: textOf(source.user) ?? undefined,
    service_tier: textOf(source.service_tier) ?? undefined,
    reasoning_effort: textOf(objectOf(source.reasoning).effort) ?? undefined,
  };
}

/** A summary is asked for: thoughts are to be told, whatever the model thinks of thinking. */
function decodeThinking(reasoning: JsonValue | undefined): JsonObject | undefined {
  const { summary, generate_summary: older } = objectOf(reasoning);
  const isAsked = typeof (summary ?? older) === 'string';
  return isAsked ? { mode: 'adaptive', include_thoughts: true } : undefined;
}

function decodeVendor(source: JsonObject): JsonObject | undefined {
  const settings = compact({
    verbosity: textOf(objectOf(source.text).verbosity) ?? undefined,
    prompt_cache_key: textOf(source.prompt_cache_key) ?? undefined,
    safety_identifier: textOf(source.safety_identifier) ?? undefined,
  });
  return Object.keys(settings).length === 0 ? undefined : { openai: settings };
}

function decodeTools(source: JsonObject, report: DecodeReport): JsonObject {
  const choice = objectOf(source.tool_choice);
  const allowed = choice.type === 'allowed_tools' ? namesOf(choice.tools) : null;
  const tools: JsonObject[] = [];
  for (const [index, item] of listOf(source.tools).entries()) {
    const tool = objectOf(item);
    if (tool.type !== 'function') report.need(`tools[${index}]`);
    else if (allowed?.has(tool.name) !== false) tools.push(decodeTool(tool));
  }
  if (tools.length === 0) return {};
  return {
    tools,
    tool_choice: decodeChoice(source.tool_choice, report),
    parallel_tool_calls:
      typeof source.parallel_tool_calls === 'boolean' ? source.parallel_tool_calls : undefined,
  };
}

function decodeTool(tool: JsonObject): JsonObject {
  return {
    type: 'function',
    function: compact({
      name: tool.name,
      description: textOf(tool.description) ?? undefined,
      parameters: isJsonObject(tool.parameters) ? tool.parameters : undefined,
      strict: typeof tool.strict === 'boolean' ? tool.strict : undefined,
    }),
  };
}

function decodeChoice(choice: JsonValue | undefined, report: DecodeReport): JsonValue | undefined {
  if (choice == null) return undefined;
  if (choice === 'none' || choice === 'auto' || choice === 'required') return choice;
  const { type, name, mode } = objectOf(choice);
  if (type === 'function') return { type: 'function', function: { name: textOf(name) ?? '' } };
  if (type === 'allowed_tools') return mode === 'required' ? 'required' : 'auto';
  report.need('tool_choice');
  return undefined;
}

function namesOf(tools: JsonValue | undefined): ReadonlySet<JsonValue | undefined> {
  return new Set(listOf(tools).map((tool) => objectOf(tool).name));
}

function decodeFormat(value: JsonValue | undefined, report: DecodeReport): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  switch (value.type) {
    case 'text':
      return undefined;
    case 'json_object':
      return { type: 'json_object' };
    case 'json_schema': {
      const { type, ...json_schema } = value;
      return { type, json_schema };
    }
    default:
      report.need('text.format');
      return undefined;
  }
}

function noteOthers(source: JsonObject, report: DecodeReport): void {
  for (const field of NEEDED) if (source[field] != null) report.need(field);
  if (source.background === true) report.need('background');
  for (const field of DROPPED) if (source[field] != null) report.drop(field);
  if (source.truncation != null && source.truncation !== 'disabled') report.drop('truncation');
  if ((numberOf(source.top_logprobs) ?? 0) > 0) report.drop('top_logprobs');
  if (listOf(source.include).some((item) => !INCLUDED.has(item))) report.drop('include');
  const known = new Set([...UNDERSTOOD, ...NEEDED, ...DROPPED]);
  for (const field of ['background', 'top_logprobs', 'truncation']) known.add(field);
  const others = Object.keys(source).some((field) => !known.has(field) && source[field] != null);
  if (others) report.drop('unknown-fields');
}
