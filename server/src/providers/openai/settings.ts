/**
 * The settings of a provider that speaks OpenAI's wire: OpenAI itself, and every compatible
 * vendor. The schemas are the shape in the configuration file; `OpenaiConnection` is what the
 * adapter and the transport work with once the catalogue's vendor entry has filled the gaps.
 *
 * Deliberately not here: time limits, retries, breaker and concurrency, which every kind has
 * and the configuration adds; and the vendors themselves, which are entries of the catalogue.
 */
import { z } from 'zod';

/** What a vendor's dialect of the wire can do; a vendor that says nothing can do all of it. */
export interface OpenaiCapabilities {
  /** Accepts `stream_options.include_usage` and then sends the usage of a stream. */
  readonly streamUsage: boolean;
  /** Accepts `max_completion_tokens`; where false the limit is sent as `max_tokens`. */
  readonly maxCompletionTokens: boolean;
}

export interface OpenaiConnection {
  /** Without a trailing slash; paths such as `/chat/completions` are appended. */
  readonly baseUrl: string;
  /** null: requests carry no `authorization` header. */
  readonly apiKey: string | null;
  readonly organization: string | null;
  readonly project: string | null;
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly capabilities: OpenaiCapabilities;
}

/** Headers the gateway sets itself or that belong to one connection. */
const RESERVED_HEADERS = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/)
  .refine((name) => !RESERVED_HEADERS.has(name))
  .meta({
    accepts: 'a lower-case header name that is neither a credential nor set by the gateway',
  });

const headerValue = z
  .string()
  .regex(/^[\x20-\x7e]{0,4096}$/)
  .meta({ accepts: 'up to 4096 printable ASCII characters', secret: true });

const token = (description: string, secret: boolean) =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/)
    .optional()
    .meta({ description, secret, accepts: 'printable ASCII without spaces, up to 512 characters' });

const connection = {
  api_key: token(
    'Credential sent as `Authorization: Bearer`. Without it the variable of the vendor is read, ' +
      'as long as `base_url` is that vendor’s own.',
    true,
  ),
  base_url: z.string().refine(isBaseUrl).optional().meta({
    description: 'Address below which the API lies; the vendor’s own where it is left out.',
    accepts: 'an http or https address without credentials, query or fragment',
  }),
  headers: z
    .record(headerName, headerValue)
    .default({})
    .meta({ description: 'Further headers for every request to this provider.', key: 'header' }),
  organization: token('Value of the `openai-organization` header.', false),
  project: token('Value of the `openai-project` header.', false),
};

export const openaiSettings = z.object({ kind: z.literal('openai'), ...connection });

export const openaiCompatibleSettings = z.object({
  kind: z.literal('openai-compatible'),
  ...connection,
  vendor: z
    .string()
    .optional()
    .meta({
      description:
        'Entry of the catalogue that gives address, capabilities and prices; found by the host ' +
        'of `base_url`, else by the provider’s name, where it is left out.',
      accepts: 'a vendor of the catalogue',
    }),
  capabilities: z
    .strictObject({
      stream_usage: z.boolean().optional().meta({
        description: 'The vendor accepts `stream_options.include_usage`.',
      }),
      max_completion_tokens: z.boolean().optional().meta({
        description: 'The vendor accepts `max_completion_tokens`; else `max_tokens` is sent.',
      }),
    })
    .prefault({})
    .meta({ description: 'Overrides what the catalogue says of the vendor.' }),
});

function isBaseUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}
