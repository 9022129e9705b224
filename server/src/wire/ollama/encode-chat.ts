/**
 * A canonical chat request as the body of `/api/chat`.
 *
 * Images travel in base64 only, a schema in `format`, sampling in `options`. A choice of tools
 * cannot be forced there, nor can several answers be had: both are refused.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { type WritableJson, writeJson } from '../../kernel/json-source.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeOptions, type ModelSettings } from './encode-options.ts';
import type { OllamaDropped, OllamaRefused, Report } from './limits.ts';

/** Left out where they are set; none of them changes what is asked for. */
const DROPPED: readonly OllamaDropped[] = [
  'metadata',
  'prediction',
  'prompt_cache_key',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
  'verbosity',
];
const REFUSED: readonly OllamaRefused[] = [
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'web_search_options',
];
/** Read here or by `encode-options`, or without meaning of their own. */
const CARRIED: ReadonlySet<string> = new Set([
  'esclusa',
  'frequency_penalty',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'modalities',
  'model',
  'n',
  'parallel_tool_calls',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  ...DROPPED,
  ...REFUSED,
]);

const THINK_BY_EFFORT: Readonly<Record<string, boolean | string>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
};

export function encodeChat(
  body: JsonObject,
  settings: ModelSettings,
  report: Report,
): { readonly text: string } {
  reportFields(body, report);
  const bag = isJsonObject(body.esclusa) ? body.esclusa : {};
  if (bag.cache_control !== undefined) report.drop('cache_control');
  if (bag.vendor !== undefined) report.drop('vendor');
  const think = thinkOf(body, bag, report);
  const tools = body.tool_choice === 'none' ? [] : encodeTools(body.tools, report);
  const format = formatOf(body.response_format, report);
  const request: Record<string, WritableJson | undefined> = {
    model: settings.model,
    messages: encodeMessages(isJsonArray(body.messages) ? body.messages : [], report),
    stream: settings.stream,
    ...(tools.length === 0 ? {} : { tools }),
    ...(format === undefined ? {} : { format }),
    ...(think === undefined ? {} : { think }),
    ...(body.logprobs === true ? { logprobs: true } : {}),
    ...(body.logprobs === true && body.top_logprobs != null
      ? { top_logprobs: body.top_logprobs }
      : {}),
    ...(settings.keepAlive === null ? {} : { keep_alive: settings.keepAlive }),
    options: encodeOptions(body, bag.top_k, settings),
  };
  return { text: writeJson(request) };
}

function reportFields(body: JsonObject, report: Report): void {
  for (const field of REFUSED) if (body[field] != null) throw report.refuse(field);
  for (const field of DROPPED) if (body[field] != null) report.drop(field);
  if (typeof body.n === 'number' && body.n > 1) throw report.refuse('n');
  if (isJsonArray(body.modalities) && body.modalities.includes('audio')) {
    throw report.refuse('audio', 'modalities');
  }
  const choice = body.tool_choice ?? 'auto';
  if (choice !== 'auto' && choice !== 'none') throw report.refuse('tool_choice');
  if (body.parallel_tool_calls === false) report.drop('parallel_tool_calls');
  const isOther = (name: string): boolean => !CARRIED.has(name) && body[name] != null;
  if (Object.keys(body).some(isOther)) report.drop('other fields');
}

function thinkOf(body: JsonObject, bag: JsonObject, report: Report): boolean | string | undefined {
  const effort = body.reasoning_effort;
  if (typeof effort === 'string') {
    const think = Object.hasOwn(THINK_BY_EFFORT, effort) ? THINK_BY_EFFORT[effort] : undefined;
    if (think === undefined) report.drop('reasoning_effort');
    return think;
  }
  const { thinking } = bag;
  if (!isJsonObject(thinking) || thinking.mode === 'adaptive') return undefined;
  if (thinking.mode === 'disabled') return false;
  if (thinking.budget_tokens !== undefined) report.drop('thinking.budget_tokens');
  return true;
}

function encodeTools(tools: JsonValue | undefined, report: Report): readonly WritableJson[] {
  if (!isJsonArray(tools)) return [];
  return tools.map((tool, index) => {
    if (!isJsonObject(tool) || !isJsonObject(tool.function)) {
      throw report.refuse('tools[].type', `tools[${index}].type`);
    }
    if (isJsonObject(tool.esclusa)) report.drop('cache_control');
    const { strict, ...described } = tool.function;
    if (strict === true) report.drop('tools[].function.strict');
    return { type: 'function', function: described };
  });
}

function formatOf(format: JsonValue | undefined, report: Report): JsonValue | undefined {
  if (!isJsonObject(format)) return undefined;
  if (format.type === 'json_object') return 'json';
  if (format.type !== 'json_schema' || !isJsonObject(format.json_schema)) return undefined;
  report.drop('response_format.json_schema.name');
  return format.json_schema.schema ?? 'json';
}
