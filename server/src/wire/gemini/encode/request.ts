/**
 * A canonical request as this wire has it. What the wire cannot say and the client would miss
 * is refused; what it may leave out is noted.
 */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../../../kernel/json.ts';
import { type WritableJson, writeJson } from '../../../kernel/json-source.ts';
import { LossNotes } from '../fields.ts';
import { encodeConfig } from './config.ts';
import { encodeMessages } from './messages.ts';
import type { Refuse } from './refuse.ts';
import { encodeTools } from './tools.ts';

export interface EncodedRequest {
  readonly text: string;
  readonly dropped: readonly string[];
}

/** Members that are translated, or mean nothing to a provider. */
const CARRIED: ReadonlySet<string> = new Set([
  'esclusa',
  'frequency_penalty',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
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
]);

/** Members that a client adds to be obeyed: an answer without them is another answer. */
const REFUSED = ['audio', 'function_call', 'functions', 'logit_bias', 'web_search_options'];

/** Members that label a call, store it or make it cheaper: they leave the answer as it is. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'metadata',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
  'verbosity',
]);

export function encodeRequest(body: JsonObject, vendor: string, refuse: Refuse): EncodedRequest {
  const notes = new LossNotes();
  for (const field of REFUSED) {
    if (body[field] != null) throw refuse({ kind: 'unsupported', field });
  }
  if (isJsonArray(body.modalities) && body.modalities.some((name) => name !== 'text')) {
    throw refuse({ kind: 'unsupported', field: 'modalities' });
  }
  noteOthers(body, notes);
  const { contents, systemInstruction } = encodeMessages(body.messages, notes, refuse);
  const generationConfig = encodeConfig(body, refuse);
  const own = vendorMembers(body, vendor);
  const ownConfig = isJsonObject(own.generationConfig) ? own.generationConfig : {};
  const written: { readonly [name: string]: WritableJson | undefined } = {
    ...(systemInstruction === null ? {} : { systemInstruction }),
    contents,
    ...encodeTools(body, notes, refuse),
    ...own,
    generationConfig: { ...generationConfig, ...ownConfig },
  };
  return { text: writeJson(written), dropped: notes.dropped };
}

/** What an extension of the canonical form says to this vendor alone, in its own words. */
function vendorMembers(body: JsonObject, vendor: string): JsonObject {
  const bag = isJsonObject(body.esclusa) ? body.esclusa : {};
  const members: JsonValue | undefined = isJsonObject(bag.vendor) ? bag.vendor[vendor] : undefined;
  return isJsonObject(members) ? members : {};
}

function noteOthers(body: JsonObject, notes: LossNotes): void {
  for (const [name, value] of Object.entries(body)) {
    if (value == null || CARRIED.has(name) || name === 'modalities') continue;
    notes.drop(LEFT_OUT.has(name) ? name : '(others)');
  }
}
