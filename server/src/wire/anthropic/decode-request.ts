/**
 * A request in Anthropic's dialect as a canonical body, with the fields that it cannot say. The
 * body was checked by `read-request` before.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { compact, listOf, numberOf, objectOf, textOf, withBag } from '../values.ts';
import { cacheControlOf, decodeContent } from './decode-blocks.ts';
import { decodeMessages } from './decode-messages.ts';
import { createReport, type DecodeReport } from './decode-report.ts';
import { requestInputs } from './tool-inputs.ts';

export interface DecodedRequest {
  readonly body: JsonObject;
  /** Fields without which the request would mean something else. */
  readonly needed: readonly string[];
  readonly dropped: readonly string[];
}

/** Fields translated below. */
const TRANSLATED = new Set([
  'cache_control',
  'max_tokens',
  'messages',
  'metadata',
  'model',
  'output_config',
  'output_format',
  'service_tier',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
]);
/** Fields that change what is done or where, and that no other provider has. */
const NEEDED = ['container', 'inference_geo', 'mcp_servers', 'thread'];
/** Fields that change how it is done, or what is told about it. */
const DROPPED = ['betas', 'context_management', 'diagnostics', 'speed'];

const THINKING_MODES = new Set(['enabled', 'disabled', 'adaptive']);
const SERVICE_TIERS: Readonly<Record<string, string>> = { auto: 'auto', standard_only: 'default' };

export function decodeRequest(source: JsonObject, bytes: Buffer): DecodedRequest {
  const report = createReport();
  const system =
    source.system == null
      ? []
      : [{ role: 'system', content: decodeContent(source.system, 'system', report) }];
  const messages = decodeMessages(source.messages, requestInputs(bytes), report);
  const body = compact({
    model: source.model,
    messages: [...system, ...messages],
    ...decodeSettings(source),
    ...decodeTools(source, report),
    response_format: decodeFormat(source, report),
    ...withBag({
      top_k: numberOf(source.top_k) ?? undefined,
      thinking: decodeThinking(source.thinking, report),
      cache_control: cacheControlOf(source, 'request', report),
    }),
  });
  noteOthers(source, report);
  return { body, needed: report.needed, dropped: report.dropped };
}

function decodeSettings(source: JsonObject): JsonObject {
  const tier = textOf(source.service_tier) ?? '';
  const stop = listOf(source.stop_sequences);
  return {
    stream: source.stream === true ? true : undefined,
    max_completion_tokens: numberOf(source.max_tokens) ?? undefined,
    temperature: numberOf(source.temperature) ?? undefined,
    top_p: numberOf(source.top_p) ?? undefined,
    stop: stop.length === 0 ? undefined : stop,
    user: textOf(objectOf(source.metadata).user_id) ?? undefined,
    service_tier: SERVICE_TIERS[tier],
    reasoning_effort: textOf(objectOf(source.output_config).effort) ?? undefined,
  };
}

function decodeTools(source: JsonObject, report: DecodeReport): JsonObject {
  const tools: JsonObject[] = [];
  for (const [index, item] of listOf(source.tools).entries()) {
    const tool = decodeTool(objectOf(item), `tools[${index}]`, report);
    if (tool !== null) tools.push(tool);
  }
  if (tools.length === 0) return {};
  const choice = objectOf(source.tool_choice);
  const serial = choice.disable_parallel_tool_use;
  return {
    tools,
    tool_choice: decodeChoice(choice, report),
    parallel_tool_calls: typeof serial === 'boolean' ? !serial : undefined,
  };
}

function decodeTool(tool: JsonObject, path: string, report: DecodeReport): JsonObject | null {
  const isOwn = tool.type == null || tool.type === 'custom';
  if (!isOwn || typeof tool.name !== 'string') {
    report.need(path); // a tool that the vendor runs or defines
    return null;
  }
  if (tool.input_examples != null) report.drop(`${path}.input_examples`);
  if (tool.defer_loading === true) report.drop(`${path}.defer_loading`);
  return {
    type: 'function',
    function: compact({
      name: tool.name,
      description: textOf(tool.description) ?? undefined,
      parameters: isJsonObject(tool.input_schema) ? tool.input_schema : undefined,
      strict: typeof tool.strict === 'boolean' ? tool.strict : undefined,
    }),
    ...withBag({ cache_control: cacheControlOf(tool, path, report) }),
  };
}

function decodeChoice(choice: JsonObject, report: DecodeReport): JsonValue | undefined {
  switch (choice.type) {
    case undefined:
      return undefined;
    case 'auto':
      return 'auto';
    case 'any':
      return 'required';
    case 'none':
      return 'none';
    case 'tool':
      return { type: 'function', function: { name: textOf(choice.name) ?? '' } };
    default:
      report.need('tool_choice');
      return undefined;
  }
}

/** `output_config.format`, or `output_format` as earlier clients called it. */
function decodeFormat(source: JsonObject, report: DecodeReport): JsonObject | undefined {
  const format = objectOf(source.output_config).format ?? source.output_format;
  if (format == null) return undefined;
  const { type, schema } = objectOf(format);
  if (type !== 'json_schema' || !isJsonObject(schema)) {
    report.need('output_config.format');
    return undefined;
  }
  return { type: 'json_schema', json_schema: { name: 'output', schema, strict: true } };
}

function decodeThinking(
  value: JsonValue | undefined,
  report: DecodeReport,
): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const mode = textOf(value.type) ?? '';
  if (!THINKING_MODES.has(mode)) {
    report.drop('thinking');
    return undefined;
  }
  const { display } = value;
  return compact({
    mode,
    budget_tokens: numberOf(value.budget_tokens) ?? undefined,
    include_thoughts: typeof display === 'string' ? display !== 'omitted' : undefined,
  });
}

function noteOthers(source: JsonObject, report: DecodeReport): void {
  for (const field of NEEDED) if (source[field] != null) report.need(field);
  for (const field of DROPPED) if (source[field] != null) report.drop(field);
  const known = new Set([...TRANSLATED, ...NEEDED, ...DROPPED]);
  const others = Object.keys(source).some((field) => !known.has(field) && source[field] != null);
  if (others) report.drop('unknown-fields');
}
