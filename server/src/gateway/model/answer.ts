/**
 * The canonical answer: complete, or a sequence of frames. Each carries the provider's own
 * bytes where provider and client speak the same dialect, and the parsed form beside them.
 *
 * Invariant of a stream: frames come in order; exactly one has a `terminal` and it is the last;
 * a sequence that cannot reach it throws a `GatewayError`. Iterating ends the upstream call
 * when it returns early.
 */
import type { JsonObject } from '../../kernel/json.ts';
import type { CanonicalChunk } from './canonical.ts';
import type { GatewayError } from './errors.ts';
import type { Wire } from './target.ts';
import type { Usage } from './usage.ts';

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'function_call'
  | 'other';

export interface PlainAnswer {
  readonly kind: 'plain';
  readonly dialect: Wire;
  readonly contentType: string;
  readonly bytes: Buffer;
  /**
   * The canonical form; null where only bytes are at hand (a stored answer, or one whose
   * provider speaks the client's dialect and not OpenAI's).
   */
  readonly body: JsonObject | null;
  /** null where the provider did not say. */
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
}

export interface StreamAnswer {
  readonly kind: 'stream';
  readonly dialect: Wire;
  readonly frames: AsyncIterable<StreamFrame>;
}

export type Answer = PlainAnswer | StreamAnswer;

/** Some complete events of a stream, as they came together. */
export interface StreamFrame {
  /** Bytes to forward, complete events only, without the end marker; may be empty. */
  readonly bytes: Buffer;
  /** The end marker of the dialect (`data: [DONE]` and its blank line); nothing follows it. */
  readonly terminal: Buffer | null;
  /** The events in canonical form; set where the client speaks another dialect. */
  readonly chunks?: readonly CanonicalChunk[];
  /** Characters of text, tool arguments and reasoning that these events carry. */
  readonly producedCharacters: number;
  /** Set on the frame in which the provider told its usage. */
  readonly usage: Usage | null;
  readonly finishReasons: readonly FinishReason[];
  /** The number of the last event of `bytes`, where the dialect numbers its events. */
  readonly sequence?: number;
  /** The provider said that it failed; `bytes` tell of it, and nothing follows them. */
  readonly failure?: GatewayError;
  /**
   * For the account alone: this reader was ended while others read on, and was not given what
   * came since. It is to be told at once, and what it has is no whole answer.
   */
  readonly unread?: true;
}
