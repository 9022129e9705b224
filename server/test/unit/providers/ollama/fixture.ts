import type { ResponseHead } from '../../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../../src/kernel/json.ts';
import { createOllamaAdapter } from '../../../../src/providers/ollama/adapter.ts';
import type { OllamaConnection } from '../../../../src/providers/ollama/settings.ts';
import { providerCall } from '../../../support/provider-call.ts';
import { recorded } from '../../../support/recorded.ts';

const CONNECTION: OllamaConnection = {
  baseUrl: 'http://127.0.0.1:11434',
  apiKey: null,
  headers: {},
  contextTokens: null,
  keepAlive: null,
};
export const CHAT = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }] };
export const NDJSON = { status: 200, headers: { 'content-type': 'application/x-ndjson' } };

export function adapter(changes: Partial<OllamaConnection> = {}) {
  return createOllamaAdapter({ ...CONNECTION, ...changes });
}

export const fixture = recorded('ollama', 'ollama-0.6.4');

export function head(headers: Record<string, string> = {}, status = 200): ResponseHead {
  return { status, headers: { 'content-type': 'application/json', ...headers } };
}

export function chat(changes: object = {}) {
  return providerCall('chat', { ...CHAT, ...changes } as JsonObject, 'qwen3:8b');
}
