/**
 * Limits, sampling, the form of the answer and thinking, as `generationConfig`.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../../../kernel/json.ts';
import type { Refuse } from './refuse.ts';

export function encodeConfig(body: JsonObject, refuse: Refuse): JsonObject {
  const bag = isJsonObject(body.esclusa) ? body.esclusa : {};
  const thinkingConfig = encodeThinking(body.reasoning_effort, bag.thinking, refuse);
  return present({
    maxOutputTokens: outputLimit(body),
    temperature: body.temperature,
    topP: body.top_p,
    topK: bag.top_k,
    candidateCount: body.n === 1 ? undefined : body.n,
    stopSequences: stopSequences(body.stop),
    seed: body.seed,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    responseLogprobs: body.logprobs === false ? undefined : body.logprobs,
    logprobs: body.top_logprobs,
    ...encodeFormat(body.response_format, refuse),
    thinkingConfig,
  });
}

function outputLimit(body: JsonObject): JsonValue | undefined {
  return body.max_completion_tokens ?? body.max_tokens;
}

function stopSequences(stop: JsonValue | undefined): JsonValue | undefined {
  if (typeof stop === 'string') return [stop];
  return isJsonArray(stop) && stop.length === 0 ? undefined : stop;
}

function encodeFormat(format: JsonValue | undefined, refuse: Refuse): JsonObject {
  if (!isJsonObject(format) || format.type === 'text') return {};
  if (format.type === 'json_object') return { responseMimeType: 'application/json' };
  const { json_schema: named } = format;
  if (format.type !== 'json_schema' || !isJsonObject(named)) {
    throw refuse({ kind: 'unsupported', field: 'response_format.type' });
  }
  return {
    responseMimeType: 'application/json',
    ...(isJsonObject(named.schema) ? { responseJsonSchema: named.schema } : {}),
  };
}

/** Google's own table for clients that speak of efforts; every thinking model takes budgets. */
const BUDGETS: ReadonlyMap<JsonValue | undefined, number> = new Map([
  ['none', 0],
  ['minimal', 1024],
  ['low', 1024],
  ['medium', 8192],
  ['high', 24_576],
  ['xhigh', 24_576],
]);

const DYNAMIC = -1;

function encodeThinking(
  effort: JsonValue | undefined,
  thinking: JsonValue | undefined,
  refuse: Refuse,
): JsonObject | undefined {
  const budget = BUDGETS.get(effort);
  if (effort != null && budget === undefined) {
    throw refuse({ kind: 'unsupported', field: 'reasoning_effort' });
  }
  if (!isJsonObject(thinking)) {
    return budget === undefined ? undefined : { thinkingBudget: budget };
  }
  if (thinking.mode === 'disabled') return { thinkingBudget: 0 };
  const { budget_tokens: tokens } = thinking;
  const thinkingBudget = typeof tokens === 'number' ? tokens : (budget ?? DYNAMIC);
  return { thinkingBudget, includeThoughts: thinking.include_thoughts !== false };
}

/** Only what was given: absent members stay absent. */
function present(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null));
}
