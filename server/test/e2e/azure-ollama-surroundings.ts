/**
 * The gateway with scripted servers of Azure and of Ollama behind it: a resource with deployments,
 * the same on the newer surface, the same with a key that is refused, and a local server.
 */
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { AZURE_KEY, startScriptedAzure } from '../support/scripted-azure/index.ts';
import { startScriptedOllama } from '../support/scripted-ollama/index.ts';
import type { ScriptedUpstream } from '../support/scripted-upstream/index.ts';

export const AZURE_OLLAMA_WAYS = ['azure-dated', 'azure-v1', 'local'] as const;
export type AzureOllamaWay = (typeof AZURE_OLLAMA_WAYS)[number];

export interface AzureOllama {
  readonly azure: ScriptedUpstream;
  readonly ollama: ScriptedUpstream;
  readonly gateway: TestGateway;
  /** Who answers behind a way. */
  upstreamOf(way: AzureOllamaWay): ScriptedUpstream;
  forget(): void;
  close(): Promise<void>;
}

export async function startAzureOllama(): Promise<AzureOllama> {
  const [azure, ollama] = await Promise.all([startScriptedAzure(), startScriptedOllama()]);
  const gateway = await startGateway({ config: configOf(azure.url, ollama.url) });
  return {
    azure,
    ollama,
    gateway,
    upstreamOf: (way) => (way === 'local' ? ollama : azure),
    forget() {
      azure.forget();
      ollama.forget();
    },
    async close() {
      await gateway.close();
      await Promise.all([azure.close(), ollama.close()]);
    },
  };
}

/** One attempt each; a silence of a second is too long. */
function configOf(azureUrl: string, ollamaUrl: string) {
  const azure = { kind: 'azure-openai', base_url: azureUrl, api_key: AZURE_KEY };
  return {
    providers: {
      'azure-dated': { ...azure, api_version: '2024-10-21' },
      'azure-v1': azure,
      'azure-locked': { ...azure, api_key: 'wrong-0123456789abcdef' },
      local: { kind: 'ollama', base_url: ollamaUrl, context_tokens: 8192, keep_alive: '30m' },
    },
    resilience: {
      breaker: { failure_threshold: 10_000 },
      timeouts: { connect_ms: 500, idle_ms: 1000, first_token_ms: 1000 },
      retry: { attempts: 1 },
    },
  };
}
