/**
 * The settings of a provider that speaks OpenAI's wire: OpenAI itself, its models on Azure, and
 * every compatible vendor. The schemas are the shape in the configuration file;
 * `OpenaiConnection` is what the adapter and the transport work with once the catalogue's vendor
 * entry has filled the gaps.
 *
 * Deliberately not here: time limits, retries, breaker and concurrency, which every kind has
 * and the configuration adds; and the vendors themselves, which are entries of the catalogue.
 */
import { z } from 'zod';
import { address, furtherKeys, token } from '../connection-settings.ts';

/** What a vendor's dialect of the wire can do; a vendor that says nothing can do all of it. */
export interface OpenaiCapabilities {
  /** Accepts `stream_options.include_usage` and then sends the usage of a stream. */
  readonly streamUsage: boolean;
  /** Accepts `max_completion_tokens`; where false the limit is sent as `max_tokens`. */
  readonly maxCompletionTokens: boolean;
  /** Takes the `reasoning_content` of earlier answers back; unless it says so, it does not. */
  readonly reasoningInput: boolean;
  /** Has the Responses API; requests of its clients that keep nothing pass through to it. */
  readonly responses: boolean;
}

/** Where the operations lie below the base URL. */
export type OpenaiSurface =
  /** `/chat/completions` */
  | { readonly kind: 'plain' }
  /** `/openai/v1/chat/completions`, the model in the body; `api-version` only where given. */
  | { readonly kind: 'v1'; readonly apiVersion: string | null }
  /** `/openai/deployments/{model}/chat/completions?api-version=…` */
  | { readonly kind: 'deployments'; readonly apiVersion: string };

export interface OpenaiConnection {
  /** Without a trailing slash; paths such as `/chat/completions` are appended. */
  readonly baseUrl: string;
  /** null: requests carry no credential. */
  readonly apiKey: string | null;
  /** The header of the credential; `authorization` has `Bearer` in front of it. */
  readonly keyHeader: 'authorization' | 'api-key';
  readonly surface: OpenaiSurface;
  readonly organization: string | null;
  readonly project: string | null;
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly capabilities: OpenaiCapabilities;
}

const vendorKey = token(
  'Credential sent as `Authorization: Bearer`. Without it the variable of the vendor is read, ' +
    'as long as `base_url` is that vendor’s own.',
  true,
);

const account = {
  organization: token('Value of the `openai-organization` header.', false),
  project: token('Value of the `openai-project` header.', false),
};

const connection = { api_key: vendorKey, ...furtherKeys, ...address, ...account };

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
      reasoning_input: z
        .boolean()
        .optional()
        .meta({
          description:
            'The vendor accepts the `reasoning_content` of earlier answers; else requests of ' +
            'other dialects go without it. Off unless the catalogue says so.',
        }),
      responses: z
        .boolean()
        .optional()
        .meta({
          description:
            'The vendor has `/responses`: such requests pass through where nothing of them is ' +
            'kept. Off unless the catalogue says so.',
        }),
    })
    .prefault({})
    .meta({ description: 'Overrides what the catalogue says of the vendor.' }),
});

export const AZURE_KIND = 'azure-openai';

/** A date makes paths by deployment; a word, or nothing, the newer surface. */
const DATED = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;
const WORD = /^[a-z][a-z0-9]{0,31}$/;

export const azureOpenaiSettings = z.object({
  kind: z.literal(AZURE_KIND),
  api_key: token('Credential sent in the header `api-key`.', true),
  ...furtherKeys,
  ...address,
  api_version: z
    .string()
    .refine((text) => DATED.test(text) || WORD.test(text))
    .optional()
    .meta({
      description:
        'Version of the API. A date sends to `/openai/deployments/{model}/…`, where the model of ' +
        'a target is the name of its deployment; a word such as `preview`, or none, sends to ' +
        '`/openai/v1/…` with the deployment as the model.',
      accepts: 'a date such as `2024-10-21` or `2025-04-01-preview`, or a word such as `preview`',
    }),
});

/** The surface that a version of the API has. */
function azureSurface(apiVersion: string | undefined): OpenaiSurface {
  if (apiVersion !== undefined && DATED.test(apiVersion)) {
    return { kind: 'deployments', apiVersion };
  }
  return { kind: 'v1', apiVersion: apiVersion ?? null };
}

/** The resource's own address, also where the one given goes on to its API. */
function azureBaseUrl(baseUrl: string): string {
  return baseUrl.replace(/\/openai(?:\/v1)?\/?$/, '');
}

type AzureSettings = z.infer<typeof azureOpenaiSettings>;

export function azureConnection(
  settings: AzureSettings,
  headers: Readonly<Record<string, string>>,
): OpenaiConnection {
  const surface = azureSurface(settings.api_version);
  return {
    baseUrl: azureBaseUrl(settings.base_url ?? ''),
    apiKey: settings.api_key ?? null,
    keyHeader: 'api-key',
    surface,
    organization: null,
    project: null,
    headers,
    capabilities: {
      ...{ streamUsage: true, maxCompletionTokens: true, reasoningInput: false },
      responses: surface.kind === 'v1',
    },
  };
}
