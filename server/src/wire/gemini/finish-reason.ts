/**
 * Why a candidate ended, in the words of this wire and in canonical ones. Gemini has many words
 * for one canonical reason: its own is kept beside as `stop_reason`, and comes back from there.
 */
import type { JsonValue } from '../../kernel/json.ts';
import type { FinishReason } from '../decoded.ts';

export interface Finish {
  /** For caching and metrics. */
  readonly reason: FinishReason;
  /** What OpenAI's clients are told; it has no word for everything that can go wrong. */
  readonly canonical: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** Gemini's word, where the canonical one is coarser; null where it says the same. */
  readonly word: string | null;
}

const FILTERED: ReadonlySet<string> = new Set([
  'BLOCKLIST',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_SAFETY',
  'JAILBREAK',
  'MODEL_ARMOR',
  'PROHIBITED_CONTENT',
  'RECITATION',
  'SAFETY',
  'SPII',
]);

/** Words of this wire that an answer of another vendor cannot have by chance. */
const WORD = /^[A-Z][A-Z_]{2,63}$/;

/** null while the candidate goes on. */
export function finishOf(value: JsonValue | undefined, hasCalls: boolean): Finish | null {
  if (typeof value !== 'string' || value === '' || value === 'FINISH_REASON_UNSPECIFIED') {
    return null;
  }
  if (value === 'STOP') {
    const reason = hasCalls ? 'tool_calls' : 'stop';
    return { reason, canonical: reason, word: null };
  }
  if (value === 'MAX_TOKENS') return { reason: 'length', canonical: 'length', word: null };
  if (FILTERED.has(value)) {
    return { reason: 'content_filter', canonical: 'content_filter', word: value };
  }
  return { reason: 'other', canonical: 'stop', word: value };
}

/** A prompt that was refused as a whole has no candidate, and a reason of its own. */
export function blockedFinish(blockReason: JsonValue | undefined): Finish {
  const word = typeof blockReason === 'string' && WORD.test(blockReason) ? blockReason : 'OTHER';
  return { reason: 'content_filter', canonical: 'content_filter', word };
}

export function finishWord(
  canonical: JsonValue | undefined,
  stopReason: JsonValue | undefined,
): string {
  if (typeof stopReason === 'string' && WORD.test(stopReason)) return stopReason;
  switch (canonical) {
    case 'stop':
    case 'tool_calls':
    case 'function_call':
      return 'STOP';
    case 'length':
      return 'MAX_TOKENS';
    case 'content_filter':
      return 'SAFETY';
    default:
      return 'OTHER';
  }
}
