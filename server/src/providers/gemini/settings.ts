/**
 * The settings of a provider that speaks Gemini's wire: Google's developer API, or whatever
 * stands in front of it.
 */
import { z } from 'zod';
import { address, furtherKeys, token } from '../connection-settings.ts';

export const GEMINI_KIND = 'gemini';

export interface GeminiConnection {
  /** Without a trailing slash; paths such as `/v1beta/models/…` are appended. */
  readonly baseUrl: string;
  /** null: requests carry no credential. */
  readonly apiKey: string | null;
  /** Sent with every request; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export const geminiSettings = z.object({
  kind: z.literal(GEMINI_KIND),
  api_key: token(
    'Credential sent as `x-goog-api-key`. Without it the variable of the vendor is read, as ' +
      'long as `base_url` is that vendor’s own.',
    true,
  ),
  ...furtherKeys,
  ...address,
});

export type GeminiSettings = z.infer<typeof geminiSettings>;

export function geminiConnection(
  settings: GeminiSettings,
  headers: Readonly<Record<string, string>>,
): GeminiConnection {
  return {
    baseUrl: settings.base_url ?? '',
    apiKey: settings.api_key ?? null,
    headers,
  };
}
