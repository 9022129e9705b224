/**
 * Ollama's own API as far as this program reads and writes it (`/api/chat`, `/api/generate`,
 * `/api/embed`). The types match the core's by structure: this folder knows JSON and bytes,
 * the core knows exchanges, and neither needs the other's modules.
 */
import type { JsonObject } from '../../kernel/json.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface ProviderUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: 'provider';
}

/** A complete answer in canonical form. */
export interface DecodedAnswer {
  readonly body: JsonObject;
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

/** Some complete lines of a stream, as they came together. */
export interface DecodedFrame {
  readonly chunks: readonly JsonObject[];
  /** The answer is complete. */
  readonly isLast: boolean;
  readonly producedCharacters: number;
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

/** Why a stream cannot go on; the caller turns it into a coded error. */
export type StreamProblem =
  | { readonly kind: 'garbled'; readonly message: string }
  | { readonly kind: 'too_long'; readonly message: string }
  | { readonly kind: 'truncated'; readonly message: string }
  /** The text of an `error` line. */
  | { readonly kind: 'error_line'; readonly text: string };
