/**
 * Anthropic's wire as far as this program reads it, in the shapes of the `@anthropic-ai/sdk`
 * package, and what its translation writes in canonical form.
 */
import type { JsonObject } from '../../kernel/json.ts';
import type { StreamProblem as Problem } from '../decoded.ts';

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

export type StreamProblem = Problem<ErrorBody>;
