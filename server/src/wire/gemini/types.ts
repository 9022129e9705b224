/**
 * Gemini's wire as far as this program reads it: usage, errors, and what one stream tells. The
 * shapes are those of the `@google/genai` SDK; everything else in a body is forwarded unread.
 * The types match the core's by structure: this folder knows bytes, the core knows exchanges.
 */
import type { JsonObject } from '../../kernel/json.ts';

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'function_call'
  | 'other';

/** Tokens; cached ones are part of the input, thoughts are part of the output. */
export interface ProviderUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: 'provider';
}

/** The `error` member of a body or of an event. */
export interface ErrorBody {
  /** An HTTP status, as Google repeats it in bodies. */
  readonly code: number | null;
  /** Google's word for it: `RESOURCE_EXHAUSTED`. */
  readonly status: string | null;
  readonly message: string | null;
  /** Of an `ErrorInfo` among the details: `API_KEY_INVALID`. */
  readonly reason: string | null;
  /** Of a `RetryInfo` among the details. */
  readonly retryAfterMs: number | null;
  /** A quota that is renewed daily, or not at all, is used up. */
  readonly longQuota: boolean;
}

/** A canonical chunk of a stream (OpenAI's `chat.completion.chunk`), loosely typed. */
export type Chunk = JsonObject;

/** Why a stream cannot go on; the caller turns it into a coded error. */
export type StreamProblem =
  | { readonly kind: 'garbled'; readonly message: string }
  | { readonly kind: 'too_long'; readonly message: string }
  | { readonly kind: 'truncated'; readonly message: string }
  | { readonly kind: 'error_event'; readonly error: ErrorBody };

/** How the events of a stream are framed: server-sent events, or the items of one JSON list. */
export type Framing = 'events' | 'list';

/** What a translation could not carry. */
export interface Losses {
  /** Fields whose loss would change what the request means. */
  readonly needed: readonly string[];
  /** Fields that were left out. */
  readonly dropped: readonly string[];
}
