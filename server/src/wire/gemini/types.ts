/**
 * Gemini's wire as far as this program reads it, in the shapes of the `@google/genai` SDK;
 * everything else in a body is forwarded unread.
 */
import type { JsonObject } from '../../kernel/json.ts';
import type { StreamProblem as Problem } from '../decoded.ts';

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

export type StreamProblem = Problem<ErrorBody>;

/** How the events of a stream are framed: server-sent events, or the items of one JSON list. */
export type Framing = 'events' | 'list';

/** What a translation could not carry. */
export interface Losses {
  /** Fields whose loss would change what the request means. */
  readonly needed: readonly string[];
  /** Fields that were left out. */
  readonly dropped: readonly string[];
}
