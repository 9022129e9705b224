/**
 * The response object: what every answer and every lifecycle event of this dialect carries. It
 * repeats the settings of the request, with the dialect's own defaults where none were given.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { compact, numberOf, objectOf, textOf } from '../values.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** What the gateway itself says about a response. */
export interface ResponseHead {
  readonly id: string;
  readonly createdSeconds: number;
}

export interface ResponseState {
  readonly status: ResponseStatus;
  /** As the provider names it; the one that was asked for where it does not. */
  readonly model: string | null;
  readonly output: readonly JsonObject[];
  readonly incompleteReason?: 'max_output_tokens' | 'content_filter';
  readonly usage?: JsonObject | undefined;
}

const PLAIN_TEXT: JsonObject = { format: { type: 'text' } };

/** `source` is the request's body, checked by `read-request`. */
export function responseObject(
  head: ResponseHead,
  source: JsonObject,
  state: ResponseState,
): JsonObject {
  const { status, incompleteReason } = state;
  return compact({
    id: head.id,
    object: 'response',
    created_at: head.createdSeconds,
    status,
    background: false,
    error: null,
    incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason },
    instructions: textOf(source.instructions),
    max_output_tokens: numberOf(source.max_output_tokens),
    max_tool_calls: numberOf(source.max_tool_calls),
    model: state.model ?? textOf(source.model) ?? '',
    output: state.output,
    parallel_tool_calls: source.parallel_tool_calls !== false,
    previous_response_id: textOf(source.previous_response_id),
    prompt_cache_key: textOf(source.prompt_cache_key),
    reasoning: reasoningOf(objectOf(source.reasoning)),
    safety_identifier: textOf(source.safety_identifier),
    service_tier: textOf(source.service_tier) ?? 'default',
    store: source.store !== false,
    temperature: numberOf(source.temperature) ?? 1,
    text: textSettings(source.text),
    tool_choice: source.tool_choice ?? 'auto',
    tools: isJsonArray(source.tools) ? source.tools.map(toolOf) : [],
    top_logprobs: numberOf(source.top_logprobs) ?? 0,
    top_p: numberOf(source.top_p) ?? 1,
    truncation: textOf(source.truncation) ?? 'disabled',
    usage: state.usage,
    user: textOf(source.user) ?? undefined,
    metadata: isJsonObject(source.metadata) ? source.metadata : {},
  });
}

function reasoningOf({ effort, summary }: JsonObject): JsonObject {
  return { effort: textOf(effort), summary: textOf(summary) };
}

function textSettings(value: JsonValue | undefined): JsonObject {
  const { format, verbosity } = objectOf(value);
  if (!isJsonObject(format)) return compact({ ...PLAIN_TEXT, verbosity });
  return compact({ format, verbosity });
}

function toolOf(value: JsonValue): JsonValue {
  const tool = objectOf(value);
  if (tool.type !== 'function') return value;
  return { ...tool, parameters: tool.parameters ?? null, strict: tool.strict ?? null };
}
