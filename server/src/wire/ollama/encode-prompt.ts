/**
 * Bare prompts and texts to embed: canonical bodies of the other two operations as those of
 * `/api/generate` and `/api/embed`. Both take texts only, and the first a single one.
 */
import { isJsonArray, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { writeJson } from '../../kernel/json-source.ts';
import { encodeOptions, type ModelSettings } from './encode-options.ts';
import type { OllamaDropped, Report } from './limits.ts';

const DROPPED: readonly OllamaDropped[] = ['user', 'metadata', 'service_tier'];
const COMPLETION_FIELDS: ReadonlySet<string> = new Set([
  'best_of',
  'echo',
  'esclusa',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'max_tokens',
  'model',
  'n',
  'presence_penalty',
  'prompt',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'suffix',
  'temperature',
  'top_p',
  ...DROPPED,
]);
const EMBEDDING_FIELDS: ReadonlySet<string> = new Set([
  'dimensions',
  'encoding_format',
  'esclusa',
  'input',
  'model',
  ...DROPPED,
]);

export function encodeCompletion(
  body: JsonObject,
  settings: ModelSettings,
  report: Report,
): { readonly text: string } {
  reportFields(body, COMPLETION_FIELDS, report);
  for (const field of ['logit_bias', 'logprobs'] as const) {
    if (body[field] != null) throw report.refuse(field);
  }
  if (body.echo === true) throw report.refuse('echo');
  for (const field of ['n', 'best_of'] as const) {
    if (typeof body[field] === 'number' && body[field] > 1) throw report.refuse(field);
  }
  const [prompt, second] = isJsonArray(body.prompt) ? body.prompt : [body.prompt ?? ''];
  if (typeof prompt !== 'string' || second !== undefined) throw report.refuse('prompt');
  const request = {
    model: settings.model,
    prompt,
    ...(typeof body.suffix === 'string' ? { suffix: body.suffix } : {}),
    stream: settings.stream,
    ...(settings.keepAlive === null ? {} : { keep_alive: settings.keepAlive }),
    options: encodeOptions(body, undefined, settings),
  };
  return { text: writeJson(request) };
}

/** A text that is too long is refused there, as it is elsewhere, and not cut off silently. */
export function encodeEmbedding(
  body: JsonObject,
  settings: ModelSettings,
  report: Report,
): { readonly text: string } {
  reportFields(body, EMBEDDING_FIELDS, report);
  if (!isTexts(body.input)) throw report.refuse('input');
  const request = {
    model: settings.model,
    input: body.input,
    truncate: false,
    ...(body.dimensions == null ? {} : { dimensions: body.dimensions }),
    ...(settings.keepAlive === null ? {} : { keep_alive: settings.keepAlive }),
    options: encodeOptions({}, undefined, settings),
  };
  return { text: writeJson(request) };
}

function isTexts(input: JsonValue | undefined): input is string | readonly string[] {
  if (typeof input === 'string') return true;
  return isJsonArray(input) && input.every((item) => typeof item === 'string');
}

function reportFields(body: JsonObject, known: ReadonlySet<string>, report: Report): void {
  for (const field of DROPPED) if (body[field] != null) report.drop(field);
  const isOther = (name: string): boolean => !known.has(name) && body[name] != null;
  if (Object.keys(body).some(isOther)) report.drop('other fields');
}
