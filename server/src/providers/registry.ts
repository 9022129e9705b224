/**
 * The one list of provider kinds: which adapter translates for each, and which of them answer
 * within this process. A new kind is a folder beside this file and a row here.
 */
import type { ProviderAdapter } from '../gateway/ports/provider.ts';
import type { Upstream } from '../gateway/ports/upstream.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import { createAnthropicAdapter } from './anthropic/adapter.ts';
import type { ANTHROPIC_KIND, AnthropicConnection } from './anthropic/settings.ts';
import { createGeminiAdapter } from './gemini/adapter.ts';
import type { GEMINI_KIND, GeminiConnection } from './gemini/settings.ts';
import type { MockConnection } from './mock/settings.ts';
import { createMockUpstream } from './mock/upstream.ts';
import { createOllamaAdapter } from './ollama/adapter.ts';
import type { OllamaConnection } from './ollama/settings.ts';
import { createOpenaiAdapter } from './openai/adapter.ts';
import type { OpenaiConnection } from './openai/settings.ts';

/** A configured provider: its kind, and what that kind needs to know. */
export type ProviderConnection =
  | {
      readonly kind: 'openai' | 'openai-compatible' | 'azure-openai';
      readonly connection: OpenaiConnection;
    }
  | { readonly kind: typeof ANTHROPIC_KIND; readonly connection: AnthropicConnection }
  | { readonly kind: typeof GEMINI_KIND; readonly connection: GeminiConnection }
  | { readonly kind: 'ollama'; readonly connection: OllamaConnection }
  | { readonly kind: 'mock'; readonly connection: MockConnection };

export interface InProcessParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** The mock speaks the same wire, so that bytes pass through as they do for real providers. */
const MOCK_AS_OPENAI: OpenaiConnection = {
  baseUrl: '',
  apiKey: null,
  keyHeader: 'authorization',
  surface: { kind: 'plain' },
  organization: null,
  project: null,
  headers: {},
  capabilities: {
    ...{ streamUsage: true, maxCompletionTokens: true, reasoningInput: true },
    responses: false,
  },
};

export function createProviderAdapter(provider: ProviderConnection): ProviderAdapter {
  switch (provider.kind) {
    case 'openai':
    case 'openai-compatible':
    case 'azure-openai':
      return createOpenaiAdapter(provider.connection);
    case 'anthropic':
      return createAnthropicAdapter(provider.connection);
    case 'gemini':
      return createGeminiAdapter(provider.connection);
    case 'ollama':
      return createOllamaAdapter(provider.connection);
    case 'mock':
      return createOpenaiAdapter(MOCK_AS_OPENAI);
  }
}

/** An adapter for each of several keys, in their order. */
export function createKeyedAdapters(
  provider: ProviderConnection,
  keys: readonly string[],
): readonly ProviderAdapter[] {
  return keys.map((apiKey) => {
    const connection = { ...provider.connection, apiKey };
    return createProviderAdapter({ ...provider, connection } as ProviderConnection);
  });
}

/** The upstream of a kind that answers in this process; null for those behind a network. */
export function createInProcessUpstream(
  provider: ProviderConnection,
  parts: InProcessParts,
): Upstream | null {
  if (provider.kind !== 'mock') return null;
  return createMockUpstream({ ...parts, connection: provider.connection });
}
