/**
 * Every way to a model that clients are tested over: each kind of provider that can be
 * configured, some of them in two manners. One gateway has them all; the same model names mean
 * the same behind each, and what goes wrong stands in the model's name.
 */
import type { FaultPoints } from '../../../src/kernel/fault.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import {
  COUNTED_TOKENS as ANTHROPIC_COUNT,
  ANTHROPIC_KEY,
  startScriptedAnthropic,
} from '../../support/scripted-anthropic/index.ts';
import { AZURE_KEY, startScriptedAzure } from '../../support/scripted-azure/index.ts';
import {
  COUNTED_TOKENS as GEMINI_COUNT,
  GEMINI_KEY,
  startScriptedGemini,
} from '../../support/scripted-gemini/index.ts';
import { startScriptedOllama } from '../../support/scripted-ollama/index.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream/index.ts';

const VENDOR_KEY = 'sk-upstream-0123456789abcdef';
export const UPSTREAM_KEYS = [VENDOR_KEY, ANTHROPIC_KEY, AZURE_KEY, GEMINI_KEY];

/** Short, yet longer than a busy machine keeps a test waiting. */
const IDLE_MS = 600;

type Server = 'vendor' | 'azure' | 'anthropic' | 'gemini' | 'gemini-older' | 'ollama';
type Missing = 'embeddings' | 'demands' | 'links';

export interface Way {
  /** The provider's name: clients ask for `anthropic-older/mock`. */
  readonly name: string;
  readonly kind: string;
  /** null: it answers within the process. */
  readonly server: Server | null;
  /** What the vendor's API cannot do at all. */
  readonly lacks: readonly Missing[];
  /** Errors bear OpenAI's codes. */
  readonly isCoded: boolean;
  /** What the provider counts itself; null where the gateway estimates. */
  readonly counts: number | null;
  /** Statuses that its wire tells otherwise than most. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly settings: object;
}

const usual = { lacks: [], isCoded: true, counts: null, statuses: {}, settings: {} } as const;
const claude = {
  ...usual,
  ...({ kind: 'anthropic', server: 'anthropic', lacks: ['embeddings'] } as const),
  ...{ isCoded: false, counts: ANTHROPIC_COUNT, statuses: { 'status=529': 529 } },
};
const google = { ...usual, kind: 'gemini', isCoded: false, counts: GEMINI_COUNT } as const;

export const WAYS: readonly Way[] = [
  { ...usual, name: 'mock', kind: 'mock', server: null },
  { ...usual, name: 'openai', kind: 'openai', server: 'vendor' },
  { ...usual, name: 'vendor', kind: 'openai-compatible', server: 'vendor' },
  { ...usual, name: 'azure-v1', kind: 'azure-openai', server: 'azure' },
  {
    ...{ ...usual, name: 'azure-dated', kind: 'azure-openai', server: 'azure' },
    settings: { api_version: '2024-10-21' },
  },
  { ...claude, name: 'anthropic' },
  {
    ...{ ...claude, name: 'anthropic-older' },
    settings: { structured_output: 'tool', reasoning: 'budget' },
  },
  { ...google, name: 'gemini', server: 'gemini' },
  { ...google, name: 'gemini-older', server: 'gemini-older' },
  {
    ...{ ...usual, name: 'ollama', kind: 'ollama', server: 'ollama', isCoded: false },
    lacks: ['demands', 'links'],
  },
];

export interface MatrixSurroundings {
  readonly gateway: TestGateway;
  /** Who answers behind a way; null for the one in the process. */
  upstreamOf(way: Way): ScriptedUpstream | null;
  forget(): void;
  close(): Promise<void>;
}

const STARTS: Readonly<Record<Server, () => Promise<ScriptedUpstream>>> = {
  vendor: startScriptedUpstream,
  azure: startScriptedAzure,
  anthropic: startScriptedAnthropic,
  gemini: startScriptedGemini,
  'gemini-older': () => startScriptedGemini({ givesIds: false }),
  ollama: startScriptedOllama,
};

const KEYS: Readonly<Record<Server, string | undefined>> = {
  vendor: VENDOR_KEY,
  azure: AZURE_KEY,
  anthropic: ANTHROPIC_KEY,
  gemini: GEMINI_KEY,
  'gemini-older': GEMINI_KEY,
  ollama: undefined,
};

const PRICE = { input_usd_per_million: 1, output_usd_per_million: 2 };

/** One attempt each, so that what clients repeat is seen. */
export async function startMatrix(
  models: Readonly<Record<string, object>> = {},
  faults?: FaultPoints,
): Promise<MatrixSurroundings> {
  const servers = new Map<Server, ScriptedUpstream>();
  for (const [name, start] of Object.entries(STARTS)) servers.set(name as Server, await start());
  const gateway = await startGateway({
    ...(faults === undefined ? {} : { faults }),
    config: {
      max_body_bytes: 300_000,
      providers: Object.fromEntries(WAYS.map((way) => [way.name, providerOf(way, servers)])),
      models: { mock: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE }, ...models },
      resilience: {
        breaker: { failure_threshold: 10_000 },
        timeouts: { connect_ms: 500, idle_ms: IDLE_MS, first_token_ms: 1000 },
        retry: { attempts: 1 },
      },
    },
  });
  return {
    gateway,
    upstreamOf: ({ server }) => (server === null ? null : (servers.get(server) ?? null)),
    forget() {
      for (const server of servers.values()) server.forget();
    },
    async close() {
      await gateway.close();
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}

function providerOf(
  { kind, server, settings }: Way,
  servers: ReadonlyMap<Server, ScriptedUpstream>,
): object {
  if (server === null) return { kind };
  const key = KEYS[server];
  const base_url = servers.get(server)?.url;
  return { kind, base_url, ...(key === undefined ? {} : { api_key: key }), ...settings };
}
