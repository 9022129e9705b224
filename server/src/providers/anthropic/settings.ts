/**
 * The settings of a provider that speaks Anthropic's wire: Anthropic itself, or a server that
 * copies it. `AnthropicConnection` is what the adapter and the transport work with.
 */
import { z } from 'zod';
import { address, furtherKeys, token } from '../connection-settings.ts';

export const ANTHROPIC_KIND = 'anthropic';

const DEFAULT_VERSION = '2023-06-01';

export interface AnthropicConnection {
  /** Without a trailing slash, with or without `/v1`. */
  readonly baseUrl: string;
  /** null: requests carry no `x-api-key` header. */
  readonly apiKey: string | null;
  /** Value of `anthropic-version` for requests whose client speaks another dialect. */
  readonly version: string;
  /** Features asked for by `anthropic-beta` in every request. */
  readonly betas: readonly string[];
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * How an answer in JSON is asked for: by the field for it, or by a tool whose call is forced;
   * null: as the catalogue says of the model.
   */
  readonly structuredOutput: StructuredOutput | null;
  /**
   * How `reasoning_effort` is said: as an effort, as a budget of tokens, or not at all; null: as
   * the catalogue says of the model.
   */
  readonly reasoning: ReasoningControl | null;
}

export const STRUCTURED_OUTPUTS = ['native', 'tool'] as const;
export type StructuredOutput = (typeof STRUCTURED_OUTPUTS)[number];
export const REASONING_CONTROLS = ['effort', 'budget', 'none'] as const;
export type ReasoningControl = (typeof REASONING_CONTROLS)[number];

export const anthropicSettings = z.object({
  kind: z.literal(ANTHROPIC_KIND),
  api_key: token(
    'Credential sent as `x-api-key`. Without it the variable of the vendor is read, as long as ' +
      '`base_url` is that vendor’s own.',
    true,
  ),
  ...furtherKeys,
  ...address,
  version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .default(DEFAULT_VERSION)
    .meta({
      description:
        'Value of `anthropic-version`. A client that speaks this dialect itself brings its own.',
      accepts: 'a date such as `2023-06-01`',
    }),
  betas: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/))
    .check(z.maxLength(32))
    .default([])
    .meta({
      description:
        'Features asked for by `anthropic-beta`, beside those that a client of this dialect ' +
        'asks for.',
      accepts: 'a list of up to 32 names of letters, digits, `.`, `_` and `-`',
    }),
  structured_output: z
    .enum(STRUCTURED_OUTPUTS)
    .optional()
    .meta({
      description:
        'How an answer in JSON is asked for, whatever the model: by the field for it, or, for ' +
        'models that lack it, by a tool whose call is forced. Where it is left out the catalogue ' +
        'decides for each model; one that it does not know has the field.',
    }),
  reasoning: z
    .enum(REASONING_CONTROLS)
    .optional()
    .meta({
      description:
        'How `reasoning_effort` is said, whatever the model: as an effort, for models that lack ' +
        'it as a budget of tokens, or, for models that do not think, not at all. Where it is ' +
        'left out the catalogue decides for each model; one that it does not know has efforts.',
    }),
});

export type AnthropicSettings = z.infer<typeof anthropicSettings>;

export function anthropicConnection(
  settings: AnthropicSettings,
  headers: Readonly<Record<string, string>>,
): AnthropicConnection {
  return {
    baseUrl: settings.base_url ?? '',
    apiKey: settings.api_key ?? null,
    version: settings.version,
    betas: settings.betas,
    headers,
    structuredOutput: settings.structured_output ?? null,
    reasoning: settings.reasoning ?? null,
  };
}
