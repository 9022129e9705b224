/**
 * Anthropic's wire as far as this program reads it: usage, errors, and what one stream tells.
 * The shapes are those of the `@anthropic-ai/sdk` package. The types match the core's by
 * structure: this folder knows bytes and JSON, the core knows exchanges.
 */
import type { JsonObject } from '../../kernel/json.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';

/** Tokens; cached ones are part of the input, reasoning ones part of the output. */
export interface ProviderUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: 'provider';
}

/** The `error` member of a body or of an event; null where a field is missing. */
export interface ErrorBody {
  readonly type: string | null;
  readonly message: string | null;
  /** `details.error_code`, which names the cause more precisely than the type. */
  readonly code: string | null;
}

/** A piece of an answer in the canonical form, as the core's chunk is. */
export interface ChunkBody {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: JsonObject;
    readonly finish_reason: string | null;
    readonly esclusa?: JsonObject;
  }[];
  readonly usage?: UsageBody;
  readonly esclusa?: JsonObject;
}

/** Usage in the canonical form. */
export interface UsageBody {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** Some complete events, as they came together. */
export interface DecodedFrame {
  /** Bytes to forward, without the last event; empty where the chunks are wanted instead. */
  readonly bytes: Buffer;
  /** The event `message_stop`, once, at the end. */
  readonly terminal: Buffer | null;
  readonly chunks?: readonly ChunkBody[];
  readonly producedCharacters: number;
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

/** Why a stream cannot go on; the caller turns it into a coded error. */
export type StreamProblem =
  | { readonly kind: 'garbled'; readonly message: string }
  | { readonly kind: 'too_long'; readonly message: string }
  | { readonly kind: 'truncated'; readonly message: string }
  | { readonly kind: 'error_event'; readonly error: ErrorBody };
