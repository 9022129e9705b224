/**
 * Sampling and limits: members of the canonical body as Ollama's `options`.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';

/** What a request needs beside the client's body. */
export interface ModelSettings {
  /** The model's name at the provider. */
  readonly model: string;
  readonly stream: boolean;
  /** null: the server's default. */
  readonly contextTokens: number | null;
  /** null: the server's default. */
  readonly keepAlive: string | null;
}

/** Same name and same meaning on both sides. */
const SAME = ['temperature', 'top_p', 'seed', 'presence_penalty', 'frequency_penalty'] as const;

export function encodeOptions(
  body: JsonObject,
  topK: JsonValue | undefined,
  settings: ModelSettings,
): JsonObject {
  const options: Record<string, JsonValue> = {};
  const limit = body.max_completion_tokens ?? body.max_tokens;
  if (limit != null) options.num_predict = limit;
  for (const name of SAME) if (body[name] != null) options[name] = body[name] as JsonValue;
  if (topK != null) options.top_k = topK;
  if (body.stop != null) options.stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  if (settings.contextTokens !== null) options.num_ctx = settings.contextTokens;
  return options;
}
