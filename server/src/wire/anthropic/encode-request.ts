/**
 * A canonical request as Anthropic's: the text of the body, and what was left out of it. Fields
 * that change what is asked for and have no counterpart are refused.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { type WritableJson, writeJson } from '../../kernel/json-source.ts';
import { bagOf, compact, listOf, numberOf, textOf } from '../values.ts';
import { encodeMessages } from './encode-messages.ts';
import { createEncodeReport, type EncodeReport, type Refuse } from './encode-report.ts';
import { encodeThinking, type ReasoningControl } from './encode-thinking.ts';
import { encodeTools, type StructuredOutput } from './encode-tools.ts';

export interface EncodeOptions {
  /** The model's name at the provider. */
  readonly model: string;
  /** The limit of the answer where the request has none; the provider demands one. */
  readonly maxTokens: number;
  readonly structuredOutput: StructuredOutput;
  readonly reasoning: ReasoningControl;
  readonly refuse: Refuse;
}

export interface EncodedBody {
  readonly text: string;
  readonly dropped: readonly string[];
}

/** Fields that the provider has no counterpart for and whose absence is not missed much. */
const DROPPED = [
  'logit_bias',
  'metadata',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'seed',
  'store',
  'verbosity',
];
const PENALTIES = ['frequency_penalty', 'presence_penalty'];
/** Fields that are translated, refused, or mean nothing to a provider. */
const READ: ReadonlySet<string> = new Set([
  ...DROPPED,
  ...PENALTIES,
  'audio',
  'esclusa',
  'function_call',
  'functions',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'modalities',
  'model',
  'n',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'service_tier',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'user',
  'web_search_options',
]);
const MAX_TEMPERATURE = 1;
const SERVICE_TIERS: Readonly<Record<string, string>> = { auto: 'auto', default: 'standard_only' };

export function encodeRequest(body: JsonObject, options: EncodeOptions): EncodedBody {
  const report = createEncodeReport(options.refuse);
  refuseOthers(body, report);
  const { system, messages } = encodeMessages(body.messages, report);
  const maxTokens = outputLimit(body) ?? options.maxTokens;
  const tools = encodeTools(body, options.structuredOutput, report);
  const { thinking, effort } = encodeThinking(body, options.reasoning, maxTokens, report);
  const output = compact({ effort, format: tools.format });
  const text = writeJson({
    model: options.model,
    max_tokens: maxTokens,
    system,
    messages,
    ...tools.members,
    thinking,
    output_config: Object.keys(output).length === 0 ? undefined : output,
    ...encodeSettings(body, thinking !== undefined && thinking.type !== 'disabled', report),
    stream: body.stream === true ? true : undefined,
  });
  return { text, dropped: report.dropped };
}

/** What only the question is made of, as the count of its tokens is asked for. */
export function encodeCount(body: JsonObject, options: EncodeOptions): EncodedBody {
  const report = createEncodeReport(options.refuse);
  const { system, messages } = encodeMessages(body.messages, report);
  const tools = encodeTools(body, options.structuredOutput, report);
  const text = writeJson({ model: options.model, system, messages, ...tools.members });
  return { text, dropped: report.dropped };
}

function encodeSettings(
  body: JsonObject,
  thinks: boolean,
  report: EncodeReport,
): { readonly [key: string]: WritableJson | undefined } {
  const bag = bagOf(body);
  const user = textOf(body.user);
  for (const field of DROPPED) if (body[field] != null) report.drop(field);
  const isOther = (field: string): boolean => !READ.has(field) && body[field] != null;
  if (Object.keys(body).some(isOther)) report.drop('other fields');
  for (const field of PENALTIES) if (body[field] != null && body[field] !== 0) report.drop(field);
  return {
    temperature: temperatureOf(body, thinks, report),
    top_p: numberOf(body.top_p) ?? undefined,
    top_k: numberOf(bag.top_k) ?? undefined,
    stop_sequences: stopOf(body),
    metadata: user === null ? undefined : { user_id: user },
    service_tier: tierOf(body, report),
    cache_control: bag.cache_control,
  };
}

/** The wire ends at 1 where others go on to 2; a model that thinks takes none at all. */
function temperatureOf(body: JsonObject, thinks: boolean, report: EncodeReport) {
  const given = numberOf(body.temperature);
  if (given === null) return undefined;
  if (thinks && given !== MAX_TEMPERATURE) {
    report.drop('temperature');
    return undefined;
  }
  if (given > MAX_TEMPERATURE) report.drop('temperature');
  return Math.min(given, MAX_TEMPERATURE);
}

function stopOf(body: JsonObject): WritableJson | undefined {
  const { stop } = body;
  if (typeof stop === 'string') return [stop];
  return listOf(stop).length === 0 ? undefined : listOf(stop);
}

function tierOf(body: JsonObject, report: EncodeReport): string | undefined {
  const tier = textOf(body.service_tier);
  const known = tier === null ? undefined : SERVICE_TIERS[tier];
  if (tier !== null && known === undefined) report.drop('service_tier');
  return known;
}

function outputLimit(body: JsonObject): number | null {
  return numberOf(body.max_completion_tokens) ?? numberOf(body.max_tokens);
}

function refuseOthers(body: JsonObject, report: EncodeReport): void {
  if ((numberOf(body.n) ?? 1) > 1) {
    throw report.refuse('n', 'The provider gives one answer at a time.');
  }
  if (body.logprobs === true || (numberOf(body.top_logprobs) ?? 0) > 0) {
    throw report.refuse('logprobs', 'The provider does not tell probabilities.');
  }
  if (body.audio != null || listOf(body.modalities).includes('audio')) {
    throw report.refuse('modalities', 'The provider answers in text.');
  }
  if (body.function_call != null) {
    throw report.refuse('function_call', 'Use `tool_choice` instead.');
  }
  if (body.web_search_options != null) {
    throw report.refuse('web_search_options', 'The provider has no such setting.');
  }
}
