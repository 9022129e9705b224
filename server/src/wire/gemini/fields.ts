/**
 * Reading Google's JSON, in which each field may be written in camelCase or in snake_case, and
 * noting what a translation could not carry.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Losses } from './types.ts';

const SNAKE = {
  allowedFunctionNames: 'allowed_function_names',
  cachedContent: 'cached_content',
  candidateCount: 'candidate_count',
  displayName: 'display_name',
  embedContentConfig: 'embed_content_config',
  fileData: 'file_data',
  fileUri: 'file_uri',
  frequencyPenalty: 'frequency_penalty',
  functionCall: 'function_call',
  functionCallingConfig: 'function_calling_config',
  functionDeclarations: 'function_declarations',
  functionResponse: 'function_response',
  generateContentRequest: 'generate_content_request',
  generationConfig: 'generation_config',
  includeThoughts: 'include_thoughts',
  inlineData: 'inline_data',
  maxOutputTokens: 'max_output_tokens',
  mimeType: 'mime_type',
  outputDimensionality: 'output_dimensionality',
  parametersJsonSchema: 'parameters_json_schema',
  presencePenalty: 'presence_penalty',
  responseJsonSchema: 'response_json_schema',
  responseLogprobs: 'response_logprobs',
  responseMimeType: 'response_mime_type',
  responseModalities: 'response_modalities',
  responseSchema: 'response_schema',
  safetySettings: 'safety_settings',
  stopSequences: 'stop_sequences',
  systemInstruction: 'system_instruction',
  taskType: 'task_type',
  thinkingBudget: 'thinking_budget',
  thinkingConfig: 'thinking_config',
  thinkingLevel: 'thinking_level',
  thoughtSignature: 'thought_signature',
  toolConfig: 'tool_config',
  topK: 'top_k',
  topP: 'top_p',
} as const;

type TwoNamed = keyof typeof SNAKE;

/** The name under which a field stands in an object; null where it stands under neither. */
export function nameOf(object: JsonObject, name: TwoNamed): string | null {
  if (object[name] !== undefined) return name;
  return object[SNAKE[name]] === undefined ? null : SNAKE[name];
}

/** The value of a field, whichever of its names was used; null counts as absent. */
export function field(object: JsonObject, name: TwoNamed): JsonValue | undefined {
  return object[name] ?? object[SNAKE[name]] ?? undefined;
}

export function objectField(object: JsonObject, name: TwoNamed): JsonObject | null {
  const value = field(object, name);
  return isJsonObject(value) ? value : null;
}

export function textField(object: JsonObject, name: TwoNamed): string | null {
  const value = field(object, name);
  return typeof value === 'string' ? value : null;
}

export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : [];
}

/** The members of an object that are not named, by either of their names. */
export function othersThan(object: JsonObject, names: ReadonlySet<string>): readonly string[] {
  return Object.keys(object).filter((key) => {
    const known = names.has(key) || names.has(camelOf(key));
    return !known && object[key] != null;
  });
}

function camelOf(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Collects the paths of what could not be carried, each once and a bounded number of them. */
export class LossNotes implements Losses {
  readonly needed: string[] = [];
  readonly dropped: string[] = [];

  need(path: string): void {
    add(this.needed, path);
  }

  drop(path: string): void {
    add(this.dropped, path);
  }
}

const MAX_PATHS = 32;

function add(paths: string[], path: string): void {
  if (paths.length < MAX_PATHS && !paths.includes(path)) paths.push(path);
}
