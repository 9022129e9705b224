/**
 * OpenAI's wire as far as this program reads it. The shapes are those of the `openai` SDK and of
 * vendors that copy it; everything else in a body is forwarded unread.
 */
import type { StreamProblem as Problem } from '../decoded.ts';

/** The `error` member of a body or of an event; null where the vendor left a field out. */
export interface ErrorBody {
  readonly message: string | null;
  readonly type: string | null;
  readonly param: string | null;
  /** A number where the vendor repeats an HTTP status, as some do inside streams. */
  readonly code: string | number | null;
}

export type StreamProblem = Problem<ErrorBody>;
