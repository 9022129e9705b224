/**
 * Ollama's own API as far as this program reads it (`/api/chat`, `/api/generate`, `/api/embed`).
 */
import type { JsonObject } from '../../kernel/json.ts';
import type { ByteProblem, FinishReason, FrameFacts, ProviderUsage } from '../decoded.ts';

/** A complete answer in canonical form. */
export interface DecodedAnswer {
  readonly body: JsonObject;
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

/** Some complete lines of a stream, as they came together. */
export interface DecodedFrame extends FrameFacts {
  readonly chunks: readonly JsonObject[];
  /** The answer is complete. */
  readonly isLast: boolean;
}

/** Why a stream cannot go on; the caller turns it into a coded error. */
export type StreamProblem =
  | ByteProblem
  /** The text of an `error` line. */
  | { readonly kind: 'error_line'; readonly text: string };
