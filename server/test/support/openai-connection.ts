/** A connection to a vendor of OpenAI’s wire; a test writes out what its claim is about. */
import type { OpenaiConnection } from '../../src/providers/openai/settings.ts';

type Changes = Partial<Omit<OpenaiConnection, 'capabilities'>> & {
  readonly capabilities?: Partial<OpenaiConnection['capabilities']>;
};

export function openaiConnection({ capabilities, ...changes }: Changes = {}): OpenaiConnection {
  return {
    baseUrl: '',
    apiKey: null,
    keyHeader: 'authorization',
    surface: { kind: 'plain' },
    organization: null,
    project: null,
    headers: {},
    capabilities: {
      streamUsage: true,
      maxCompletionTokens: true,
      reasoningInput: false,
      responses: false,
      ...capabilities,
    },
    ...changes,
  };
}
