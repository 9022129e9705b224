/**
 * The configuration as the program uses it: complete, typed, frozen through and through, with
 * every override already worked out for the provider or target it concerns.
 *
 * It is made from settings that were found to be right, and only from them, so that the same
 * settings always give an equal object. Prices of the catalogue are not in it: `targets.ts`.
 */
import {
  ANTHROPIC_KIND,
  type AnthropicConnection,
  anthropicConnection,
} from '../providers/anthropic/settings.ts';
import {
  GEMINI_KIND,
  type GeminiConnection,
  geminiConnection,
} from '../providers/gemini/settings.ts';
import type { MockConnection } from '../providers/mock/settings.ts';
import { MOCK_NAME } from '../providers/mock/settings.ts';
import {
  OLLAMA_KIND,
  type OllamaConnection,
  ollamaConnection,
} from '../providers/ollama/settings.ts';
import {
  AZURE_KIND,
  azureConnection,
  type OpenaiCapabilities,
  type OpenaiConnection,
} from '../providers/openai/settings.ts';
import { breakerOwner, type CallLimits, limitsFor } from './call-limits.ts';
import { type Camel, camel } from './camel.ts';
import type { Figures, Vendor } from './catalogue-entries.ts';
import { type ConditionConfig, conditionsOf, type StickyConfig, stickyOf } from './conditions.ts';
import { type DatabaseConfig, databaseConfig } from './database.ts';
import { cacheFor, type ModelSettings, type ProviderSettings } from './effective.ts';
import { type PromptConfig, promptOf } from './prompts.ts';
import { type RedisConfig, redisConfig } from './redis.ts';
import { fileSchema, type Settings } from './schema/file.ts';
import { type TenantConfig, tenantConfig } from './tenants.ts';
import { vendorOf } from './vendors.ts';

interface ProviderCommon extends CallLimits {
  readonly name: string;
  /** Every key in the order of the configuration, each once; calls take turns with them. */
  readonly apiKeys: readonly string[];
  /** Its entry in the catalogue; null: prices and limits of its models are not known. */
  readonly vendor: string | null;
}

type OpenaiKind = Exclude<
  ProviderSettings['kind'],
  typeof MOCK_NAME | typeof OLLAMA_KIND | typeof ANTHROPIC_KIND | typeof GEMINI_KIND
>;

export type ProviderConfig = ProviderCommon &
  (
    | { readonly kind: OpenaiKind; readonly connection: OpenaiConnection }
    | { readonly kind: typeof ANTHROPIC_KIND; readonly connection: AnthropicConnection }
    | { readonly kind: typeof GEMINI_KIND; readonly connection: GeminiConnection }
    | { readonly kind: typeof OLLAMA_KIND; readonly connection: OllamaConnection }
    | { readonly kind: typeof MOCK_NAME; readonly connection: MockConnection }
  );

export interface TargetConfig extends CallLimits {
  readonly provider: string;
  readonly model: string;
  readonly weight: number;
  /** As configured; null: the catalogue's. */
  readonly price: Figures | null;
  /** As configured; null: the catalogue's. */
  readonly maxOutputTokens: number | null;
  /** As configured; absent: the catalogue's. */
  readonly capabilities?: readonly Capability[];
  /** All of them must hold; absent: it takes every request. */
  readonly when?: readonly ConditionConfig[];
}

export interface ModelConfig {
  readonly alias: string;
  readonly strategy: ModelSettings['strategy'];
  readonly sticky?: StickyConfig;
  /** What models are told before clients speak. */
  readonly prompt?: PromptConfig;
  /** A flag, and what callers get where it is on. */
  readonly experiment?: {
    readonly flag: string;
    /** An alias or `provider/model`; absent: the alias itself. */
    readonly candidate?: string;
    readonly prompt?: PromptConfig;
  };
  readonly targets: readonly TargetConfig[];
  readonly cache: Camel<
    Pick<
      Settings['cache'],
      | 'enabled'
      | 'mode'
      | 'ttl_seconds'
      | 'stale_if_error_seconds'
      | 'stale_while_revalidate_seconds'
      | 'max_entry_bytes'
    >
  >;
}

type Capability = NonNullable<ModelSettings['targets'][number]['capabilities']>[number];

type Plain = Camel<
  Omit<
    Settings,
    | 'providers'
    | 'models'
    | 'roles'
    | 'prompts'
    | 'retired_models'
    | 'database'
    | 'redis'
    | 'tenants'
  >
>;

/** Maps have no prototype: `config.models['constructor']` is undefined. */
export interface Config extends Plain {
  readonly database: DatabaseConfig;
  /** null: everything is in memory. */
  readonly redis: RedisConfig | null;
  /** By slug. */
  readonly tenants: Readonly<Record<string, TenantConfig>>;
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  readonly models: Readonly<Record<string, ModelConfig>>;
  /** An alias, or `provider/model`. */
  readonly roles: Readonly<Record<string, string>>;
  /** What answers in the place of a model of before: an alias, or `provider/model`. */
  readonly retiredModels: Readonly<Record<string, string>>;
}

/** Makes the configuration of settings that passed every check. */
export function toConfig(settings: Settings, vendors: readonly Vendor[]): Config {
  const {
    database: _place,
    redis: _asWritten,
    prompts: _texts,
    ...plain
  } = camel(fileSchema, settings);
  return deepFreeze({
    ...plain,
    database: databaseConfig(settings),
    redis: redisConfig(settings.redis),
    tenants: mapOf(settings.tenants, tenantConfig),
    providers: mapOf(settings.providers, (provider, name) =>
      providerConfig(settings, name, provider, vendors),
    ),
    models: mapOf(settings.models, (model, alias) => modelConfig(settings, alias, model)),
    roles: mapOf(settings.roles, (model) => model),
    retiredModels: mapOf(settings.retired_models, (model) => model),
  });
}

function providerConfig(
  settings: Settings,
  name: string,
  provider: ProviderSettings,
  vendors: readonly Vendor[],
): ProviderConfig {
  const vendor = vendorOf(name, provider, vendors);
  const common = {
    name,
    apiKeys: keysOf(provider),
    vendor: vendor?.id ?? null,
    ...limitsFor(settings, provider, undefined),
  };
  if (provider.kind === MOCK_NAME) {
    const connection = {
      firstTokenDelayMs: provider.first_token_delay_ms,
      tokenDelayMs: provider.token_delay_ms,
    };
    return { ...common, kind: provider.kind, connection };
  }
  const headers = mapOf(provider.headers, (value) => value);
  if (provider.kind === ANTHROPIC_KIND) {
    return { ...common, kind: provider.kind, connection: anthropicConnection(provider, headers) };
  }
  if (provider.kind === GEMINI_KIND) {
    return { ...common, kind: provider.kind, connection: geminiConnection(provider, headers) };
  }
  if (provider.kind === OLLAMA_KIND) {
    return { ...common, kind: provider.kind, connection: ollamaConnection(provider, headers) };
  }
  if (provider.kind === AZURE_KIND) {
    return { ...common, kind: provider.kind, connection: azureConnection(provider, headers) };
  }
  const connection: OpenaiConnection = {
    baseUrl: provider.base_url ?? '',
    apiKey: provider.api_key ?? null,
    keyHeader: 'authorization',
    surface: { kind: 'plain' },
    organization: provider.organization ?? null,
    project: provider.project ?? null,
    headers,
    capabilities: capabilitiesOf(provider, vendor),
  };
  return { ...common, kind: provider.kind, connection };
}

/** The first of them is in `api_key`, wherever it was written. */
function keysOf(provider: ProviderSettings): readonly string[] {
  if (provider.kind === MOCK_NAME || provider.api_key === undefined) return [];
  return [...new Set([provider.api_key, ...(provider.api_keys ?? [])])];
}

function capabilitiesOf(provider: ProviderSettings, vendor: Vendor | null): OpenaiCapabilities {
  const own = 'capabilities' in provider ? provider.capabilities : {};
  const can = (name: keyof typeof own, fallback: boolean): boolean =>
    own[name] ?? vendor?.capabilities[name] ?? fallback;
  return {
    streamUsage: can('stream_usage', true),
    maxCompletionTokens: can('max_completion_tokens', true),
    reasoningInput: can('reasoning_input', false),
    responses: can('responses', false),
  };
}

function modelConfig(settings: Settings, alias: string, model: ModelSettings): ModelConfig {
  const cache = cacheFor(settings, model);
  return {
    alias,
    strategy: model.strategy,
    ...(model.sticky !== undefined && { sticky: stickyOf(model.sticky) }),
    ...promptsOf(settings, model),
    targets: model.targets.map((target) => {
      const owner = breakerOwner(settings, target.provider, target.model);
      const price = target.price ?? model.price;
      return {
        provider: target.provider,
        model: target.model,
        weight: target.weight,
        price: price === undefined ? null : figuresOf(price),
        maxOutputTokens: target.max_output_tokens ?? model.max_output_tokens ?? null,
        ...(target.capabilities !== undefined && { capabilities: target.capabilities }),
        ...conditionsOf(model.when, target.when),
        ...limitsFor(settings, settings.providers[target.provider], model, owner),
      };
    }),
    cache: {
      enabled: cache.enabled,
      ttlSeconds: cache.ttl_seconds,
      mode: cache.mode,
      staleIfErrorSeconds: cache.stale_if_error_seconds,
      staleWhileRevalidateSeconds: cache.stale_while_revalidate_seconds,
      maxEntryBytes: cache.max_entry_bytes,
    },
  };
}

function promptsOf(
  settings: Settings,
  { prompt, experiment }: ModelSettings,
): Pick<ModelConfig, 'prompt' | 'experiment'> {
  const own = promptOf(settings, prompt);
  const shown = own && { prompt: own };
  if (experiment === undefined) return { ...shown };
  const { flag, candidate } = experiment;
  const tried = promptOf(settings, experiment.prompt);
  const other = { ...(candidate !== undefined && { candidate }), ...(tried && { prompt: tried }) };
  return { ...shown, experiment: { flag, ...other } };
}

function figuresOf(price: NonNullable<ModelSettings['price']>): Figures {
  return {
    inputUsdPerMillion: price.input_usd_per_million,
    cachedInputUsdPerMillion: price.cached_input_usd_per_million ?? price.input_usd_per_million,
    ...(price.cache_write_usd_per_million !== undefined && {
      cacheWriteUsdPerMillion: price.cache_write_usd_per_million,
    }),
    outputUsdPerMillion: price.output_usd_per_million,
  };
}

function mapOf<T, U>(
  source: Readonly<Record<string, T>>,
  convert: (value: T, name: string) => U,
): Record<string, U> {
  const result: Record<string, U> = Object.create(null);
  for (const [name, value] of Object.entries(source)) result[name] = convert(value, name);
  return result;
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
