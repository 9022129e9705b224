/**
 * OpenAI's wire as far as this program reads it: usage, errors, and what one stream tells.
 * The shapes are those of the `openai` SDK and of vendors that copy it; everything else in a
 * body is forwarded unread. The types match the core's by structure: this folder knows bytes,
 * the core knows exchanges, and neither needs the other's modules.
 */
import type { JsonObject } from '../../kernel/json.ts';

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'function_call'
  | 'other';

/** Tokens; cached ones are part of the input, reasoning ones part of the output. */
export interface ProviderUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: 'provider';
}

/** The `error` member of a body or of an event; null where the vendor left a field out. */
export interface ErrorBody {
  readonly message: string | null;
  readonly type: string | null;
  readonly param: string | null;
  /** A number where the vendor repeats an HTTP status, as some do inside streams. */
  readonly code: string | number | null;
}

/** Some complete events, as they came together. */
export interface DecodedFrame {
  /** Bytes to forward, without the end marker; may be empty. */
  readonly bytes: Buffer;
  /** `data: [DONE]` with its blank line, once, at the end. */
  readonly terminal: Buffer | null;
  /** The events themselves, in canonical form, where these were asked for instead of bytes. */
  readonly chunks?: readonly JsonObject[];
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
