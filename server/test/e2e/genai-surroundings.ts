/**
 * The gateway with the ways to a model that Google's clients are tested over: the mock in the
 * process, a compatible vendor, servers of Gemini's API, newer and older, and of other vendors'
 * own APIs, Anthropic's and Ollama's. And the official
 * client package in both lines that are in use: 2.x calls below `/v1beta`, 3.x below `/v1`.
 */
import { GoogleGenAI } from '@google/genai';
import { GoogleGenAI as GoogleGenAI2 } from 'genai-2';
import { type GatewayOptions, startGateway, type TestGateway } from '../support/gateway.ts';
import { ANTHROPIC_KEY, startScriptedAnthropic } from '../support/scripted-anthropic/index.ts';
import { GEMINI_KEY, startScriptedGemini } from '../support/scripted-gemini/index.ts';
import { startScriptedOllama } from '../support/scripted-ollama/index.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

export const LINES = ['3.1.0', '2.32.0'] as const;
export type Line = (typeof LINES)[number];

/** `older` gives no ids to calls. */
export const GENAI_WAYS = ['mock', 'sockets', 'google', 'older', 'claude', 'local'] as const;
/** Ways that have no embeddings. */
export const WAYS_WITHOUT_VECTORS: ReadonlySet<string> = new Set(['claude']);
/** Ways on which a call cannot be demanded. */
export const WAYS_WITHOUT_DEMANDS: ReadonlySet<string> = new Set(['local']);
/** Ways whose provider counts tokens itself. */
export const COUNTING_WAYS: ReadonlySet<string> = new Set(['google', 'older', 'claude']);
/** Ways to Gemini's own API, where bytes pass through. */
export const NATIVE_WAYS = ['google', 'older'] as const;

const PRICE = {
  input_usd_per_million: 1,
  cached_input_usd_per_million: 0.5,
  output_usd_per_million: 2,
};

export interface GenaiSurroundings {
  readonly gateway: TestGateway;
  readonly google: ScriptedUpstream;
  readonly older: ScriptedUpstream;
  readonly sockets: ScriptedUpstream;
  client(line: Line, key: string, headers?: Readonly<Record<string, string>>): GoogleGenAI;
  forget(): void;
  close(): Promise<void>;
}

/** Small, so that a body beyond it costs nothing to make. */
const GENAI_MAX_BODY_BYTES = 300_000;

export async function startGenaiSurroundings(
  options: Omit<GatewayOptions, 'config'> & { readonly models?: object } = {},
): Promise<GenaiSurroundings> {
  const [google, older, sockets, claude, local] = await Promise.all([
    startScriptedGemini(),
    startScriptedGemini({ givesIds: false }),
    startScriptedUpstream(),
    startScriptedAnthropic(),
    startScriptedOllama(),
  ]);
  const upstreams = [google, older, sockets, claude, local];
  const { models, ...others } = options;
  const gateway = await startGateway({
    ...others,
    config: {
      max_body_bytes: GENAI_MAX_BODY_BYTES,
      providers: {
        mock: { kind: 'mock' },
        sockets: { kind: 'openai-compatible', base_url: sockets.url, api_key: 'sk-upstream' },
        google: { kind: 'gemini', base_url: google.url, api_key: GEMINI_KEY },
        older: { kind: 'gemini', base_url: older.url, api_key: GEMINI_KEY },
        claude: { kind: 'anthropic', base_url: claude.url, api_key: ANTHROPIC_KEY },
        local: { kind: 'ollama', base_url: local.url },
        locked: { kind: 'gemini', base_url: google.url, api_key: 'AIzaWrong' },
      },
      models: {
        mock: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE },
        priced: { targets: [{ provider: 'google', model: 'mock' }], price: PRICE },
        ...models,
      },
      resilience: {
        breaker: { failure_threshold: 10_000 },
        timeouts: { connect_ms: 500, idle_ms: 1000, first_token_ms: 1000 },
        retry: { attempts: 1 },
      },
    },
  });
  return {
    ...{ gateway, google, older, sockets },
    client: (line, apiKey, headers = {}) => {
      const options = { apiKey, httpOptions: { baseUrl: gateway.url, headers } };
      // The lines differ in paths; what these tests call is the same in both.
      return line === '3.1.0'
        ? new GoogleGenAI(options)
        : (new GoogleGenAI2(options) as unknown as GoogleGenAI);
    },
    forget: () => upstreams.forEach((upstream) => void upstream.forget()),
    async close() {
      await gateway.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
}
