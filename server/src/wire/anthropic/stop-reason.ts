/**
 * Why an answer ended, in Anthropic's words and in those of the canonical form. Where the
 * latter are coarser, the former travel in the extension bag and win on the way back.
 */
import type { FinishReason } from '../decoded.ts';

export type StopReason =
  | 'end_turn'
  | 'max_tokens'
  | 'stop_sequence'
  | 'tool_use'
  | 'pause_turn'
  | 'refusal'
  | 'model_context_window_exceeded';

interface Row {
  /** What a canonical choice says. */
  readonly canonical: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** What the core is told; only an answer that ended by itself may be stored. */
  readonly core: FinishReason;
}

const REASONS: Readonly<Record<StopReason, Row>> = {
  end_turn: { canonical: 'stop', core: 'stop' },
  stop_sequence: { canonical: 'stop', core: 'stop' },
  max_tokens: { canonical: 'length', core: 'length' },
  model_context_window_exceeded: { canonical: 'length', core: 'length' },
  tool_use: { canonical: 'tool_calls', core: 'tool_calls' },
  pause_turn: { canonical: 'stop', core: 'other' },
  refusal: { canonical: 'content_filter', core: 'content_filter' },
};

/** Reasons unknown here end an answer too. */
export function readStopReason(reason: string): Row {
  return isStopReason(reason) ? REASONS[reason] : { canonical: 'stop', core: 'other' };
}

export interface Ending {
  readonly finishReason: string | null;
  /** The vendor's own word, from the extension bag. */
  readonly stopReason: string | null;
  readonly stopSequence: string | null;
  readonly calledTools: boolean;
}

export function writeStopReason(ending: Ending): StopReason {
  const { finishReason, stopReason, stopSequence, calledTools } = ending;
  if (stopReason !== null && isStopReason(stopReason)) return stopReason;
  if (finishReason === 'length') return 'max_tokens';
  if (finishReason === 'content_filter') return 'refusal';
  if (finishReason === 'tool_calls' || finishReason === 'function_call') return 'tool_use';
  if (calledTools) return 'tool_use'; // some vendors say `stop` when they call tools
  return stopSequence === null ? 'end_turn' : 'stop_sequence';
}

function isStopReason(reason: string): reason is StopReason {
  return Object.hasOwn(REASONS, reason);
}
