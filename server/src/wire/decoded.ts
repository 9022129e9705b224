/**
 * What the decoders of every wire hand out, whatever the vendor calls it. The types match the
 * core's by structure: this folder knows bytes and JSON, the core knows exchanges, and neither
 * needs the other's modules.
 */
import type { JsonObject } from '../kernel/json.ts';

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'function_call'
  | 'other';

/** Tokens; cached and newly cached ones are part of the input, reasoning ones of the output. */
export interface ProviderUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly source: 'provider';
}

/** What a piece of a stream tells, beside its events. */
export interface FrameFacts {
  readonly producedCharacters: number;
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

/** Some complete events, as they came together. */
export interface DecodedFrame<Chunk = JsonObject> extends FrameFacts {
  /** To forward, without the terminal event; empty where the chunks are wanted instead. */
  readonly bytes: Buffer;
  /** The event that ends the stream, once, at the end. */
  readonly terminal: Buffer | null;
  /** The events in canonical form, where these were asked for. */
  readonly chunks?: readonly Chunk[];
}

/** Reads one stream as its bytes come. */
export interface FrameDecoder<Frame = DecodedFrame> {
  /** Takes the next bytes; null where there is nothing to hand on yet, or nothing any more. */
  push(chunk: Buffer): Frame | null;
  /** The body ended; null where the end was handed out before. */
  end(): Frame | null;
}

/** What is wrong with the bytes of a stream, whatever they say. */
export interface ByteProblem {
  readonly kind: 'garbled' | 'too_long' | 'truncated';
  readonly message: string;
}

/** Why a stream cannot go on; the caller turns it into a coded error. */
export type StreamProblem<NamedError> =
  | ByteProblem
  | { readonly kind: 'error_event'; readonly error: NamedError };
