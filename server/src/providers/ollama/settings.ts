/**
 * The settings of a provider that speaks Ollama's own API: a server on the operator's machine
 * or network, or the vendor's hosted one.
 */
import { z } from 'zod';
import { address, furtherKeys, token } from '../connection-settings.ts';

export const OLLAMA_KIND = 'ollama';

export interface OllamaConnection {
  /** Without a trailing slash; paths such as `/api/chat` are appended. */
  readonly baseUrl: string;
  /** null: requests carry no `authorization` header. */
  readonly apiKey: string | null;
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Tokens of prompt and answer together; null: the server's default. */
  readonly contextTokens: number | null;
  /** How long a model stays in memory; null: the server's default. */
  readonly keepAlive: string | null;
}

const CONTEXT_TOKENS_MAX = 100_000_000;

export const ollamaSettings = z.object({
  kind: z.literal(OLLAMA_KIND),
  api_key: token('Credential sent as `Authorization: Bearer`, where the server wants one.', true),
  ...furtherKeys,
  ...address,
  context_tokens: z
    .int()
    .check(z.gte(1), z.lte(CONTEXT_TOKENS_MAX))
    .optional()
    .meta({
      description:
        'Size of the context (`num_ctx`) that models are loaded with; the server’s default is ' +
        'small, and what does not fit is cut off the prompt without a word.',
    }),
  keep_alive: z
    .string()
    .regex(/^-?\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h)$/)
    .optional()
    .meta({
      description: 'How long a model stays in memory after a request.',
      accepts: 'a duration such as `30m`, `0s` or `-1s` (for ever)',
    }),
});

export type OllamaSettings = z.infer<typeof ollamaSettings>;

export function ollamaConnection(
  settings: OllamaSettings,
  headers: Readonly<Record<string, string>>,
): OllamaConnection {
  return {
    baseUrl: settings.base_url ?? '',
    apiKey: settings.api_key ?? null,
    headers,
    contextTokens: settings.context_tokens ?? null,
    keepAlive: settings.keep_alive ?? null,
  };
}
