/**
 * `generationConfig` as canonical members: limits, sampling, the form of the answer, thinking.
 */
import { isJsonArray, type JsonObject, type JsonValue } from '../../../kernel/json.ts';
import { field, type LossNotes, objectField, othersThan, textField } from '../fields.ts';
import { toJsonSchema } from '../schema.ts';

const CARRIED: ReadonlySet<string> = new Set([
  'candidateCount',
  'frequencyPenalty',
  'logprobs',
  'maxOutputTokens',
  'presencePenalty',
  'responseJsonSchema',
  'responseLogprobs',
  'responseMimeType',
  'responseModalities',
  'responseSchema',
  'seed',
  'stopSequences',
  'temperature',
  'thinkingConfig',
  'topK',
  'topP',
]);

const SCHEMA_NAME = 'answer';

export function decodeConfig(config: JsonObject, notes: LossNotes): JsonObject {
  if (othersThan(config, CARRIED).length > 0) notes.drop('generationConfig (others)');
  const modalities = field(config, 'responseModalities');
  if (isJsonArray(modalities) && modalities.some((name) => name !== 'TEXT')) {
    notes.need('generationConfig.responseModalities');
  }
  const { thinking, effort } = decodeThinking(objectField(config, 'thinkingConfig'));
  const topK = field(config, 'topK');
  const esclusa = present({ top_k: topK, thinking });
  return present({
    max_completion_tokens: field(config, 'maxOutputTokens'),
    temperature: config.temperature,
    top_p: field(config, 'topP'),
    n: field(config, 'candidateCount'),
    stop: field(config, 'stopSequences'),
    seed: config.seed,
    presence_penalty: field(config, 'presencePenalty'),
    frequency_penalty: field(config, 'frequencyPenalty'),
    logprobs: field(config, 'responseLogprobs'),
    top_logprobs: config.logprobs,
    response_format: decodeFormat(config, notes),
    reasoning_effort: effort,
    esclusa: Object.keys(esclusa).length === 0 ? undefined : esclusa,
  });
}

function decodeFormat(config: JsonObject, notes: LossNotes): JsonObject | undefined {
  const mimeType = textField(config, 'responseMimeType');
  if (mimeType !== null && mimeType !== 'application/json') {
    if (mimeType !== 'text/plain') notes.need('generationConfig.responseMimeType');
    return undefined;
  }
  const own = objectField(config, 'responseSchema');
  const schema = objectField(config, 'responseJsonSchema') ?? (own && toJsonSchema(own));
  if (schema === null) return mimeType === null ? undefined : { type: 'json_object' };
  return { type: 'json_schema', json_schema: { name: SCHEMA_NAME, schema } };
}

interface Thinking {
  readonly thinking: JsonObject | undefined;
  readonly effort: string | undefined;
}

const EFFORTS: ReadonlySet<string> = new Set(['minimal', 'low', 'medium', 'high']);

/** A budget of 0 forbids to think, and -1 leaves it to the model. */
function decodeThinking(config: JsonObject | null): Thinking {
  if (config === null) return { thinking: undefined, effort: undefined };
  const budget = field(config, 'thinkingBudget');
  const level = textField(config, 'thinkingLevel')?.toLowerCase();
  const effort = level !== undefined && EFFORTS.has(level) ? level : undefined;
  const include_thoughts = field(config, 'includeThoughts') === true;
  if (budget === 0) return { thinking: { mode: 'disabled' }, effort };
  const thinking =
    typeof budget === 'number' && budget > 0
      ? { mode: 'enabled', budget_tokens: budget, include_thoughts }
      : { mode: 'adaptive', include_thoughts };
  const isSaid = budget !== undefined || include_thoughts;
  return { thinking: isSaid ? thinking : undefined, effort };
}

/** Only what was given: absent members stay absent. */
function present(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null));
}
