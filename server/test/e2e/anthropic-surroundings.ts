/**
 * The gateway with three ways to a model for clients of Anthropic's dialect: the mock in the
 * process and a compatible vendor over real sockets, through the codec; and a server of
 * Anthropic's own wire, whose bytes pass through. And both lines of the official package.
 */
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import type { FaultPoints } from '../../src/kernel/fault.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { ANTHROPIC_KEY, startScriptedAnthropic } from '../support/scripted-anthropic/index.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { MAX_BODY_BYTES, UPSTREAM_KEY } from './surroundings.ts';

/** As clients write them before the model: `claude/mock`. */
export const WAYS = ['mock', 'sockets', 'claude'] as const;

export interface ClientOptions {
  readonly apiKey?: string;
  readonly maxRetries?: number;
}

export interface SdkLine {
  readonly name: string;
  connect(baseURL: string, options?: ClientOptions): Anthropic;
  readonly errors: Pick<
    typeof Anthropic,
    | 'APIError'
    | 'APIUserAbortError'
    | 'AuthenticationError'
    | 'BadRequestError'
    | 'InternalServerError'
    | 'NotFoundError'
    | 'PermissionDeniedError'
    | 'RateLimitError'
    | 'UnprocessableEntityError'
  >;
}

/** What tests use of the older line has the types of the newer one. */
export const LINES: readonly SdkLine[] = [
  {
    name: 'sdk 1.10.0',
    connect: (baseURL, options) =>
      new Anthropic({ baseURL, apiKey: ADMIN_KEY, maxRetries: 0, ...options }),
    errors: Anthropic,
  },
  {
    name: 'sdk 0.100.1',
    connect: (baseURL, options) =>
      new Anthropic0({
        ...{ baseURL, apiKey: ADMIN_KEY, maxRetries: 0, ...options },
      }) as unknown as Anthropic,
    errors: Anthropic0 as unknown as SdkLine['errors'],
  },
];

export interface AnthropicSurroundings {
  readonly gateway: TestGateway;
  readonly claude: ScriptedUpstream;
  readonly sockets: ScriptedUpstream;
  close(): Promise<void>;
}

const PRICE = { input_usd_per_million: 1, output_usd_per_million: 2 };

export async function startAnthropicSurroundings(
  models: Readonly<Record<string, object>> = {},
  faults?: FaultPoints,
): Promise<AnthropicSurroundings> {
  const [claude, sockets] = await Promise.all([startScriptedAnthropic(), startScriptedUpstream()]);
  const own = { kind: 'anthropic', base_url: claude.url, api_key: ANTHROPIC_KEY };
  const gateway = await startGateway({
    ...(faults === undefined ? {} : { faults }),
    config: {
      max_body_bytes: MAX_BODY_BYTES,
      providers: {
        mock: { kind: 'mock' },
        sockets: { kind: 'openai-compatible', base_url: sockets.url, api_key: UPSTREAM_KEY },
        claude: own,
        'claude-older': { ...own, structured_output: 'tool', reasoning: 'budget' },
        'claude-locked': { ...own, api_key: 'sk-ant-wrong-0123456789' },
      },
      models: {
        mock: { targets: [{ provider: 'mock', model: 'mock' }], price: PRICE },
        priced: { targets: [{ provider: 'claude', model: 'mock' }], price: PRICE },
        ...models,
      },
      resilience: {
        breaker: { failure_threshold: 10_000 },
        timeouts: { connect_ms: 500, idle_ms: 1000, first_token_ms: 1000 },
        retry: { attempts: 1 },
      },
    },
  }).catch(async (error) => {
    await Promise.all([claude.close(), sockets.close()]);
    throw error;
  });
  return {
    gateway,
    claude,
    sockets,
    async close() {
      await gateway.close();
      await Promise.all([claude.close(), sockets.close()]);
    },
  };
}
