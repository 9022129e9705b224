/**
 * The small numbers that stand for enumerations in the journal and in the ledger's rows: the
 * place of a word in its list.
 *
 * Invariant: lists only ever grow at the end; a place that was given out keeps its meaning.
 */
import type { CacheStatus, Outcome } from '../gateway/model/ledger-entry.ts';
import type { Dialect, Operation } from '../gateway/model/target.ts';
import type { Usage } from '../gateway/model/usage.ts';
import { assert } from '../kernel/assert.ts';

export const DIALECTS: readonly Dialect[] = ['openai', 'anthropic', 'gemini', 'responses'];
export const OPERATIONS: readonly Operation[] = ['chat', 'completion', 'embedding', 'count_tokens'];
export const OUTCOMES: readonly Outcome[] = ['completed', 'failed', 'aborted', 'rejected'];
export const CACHE_STATUSES: readonly CacheStatus[] = ['HIT', 'MISS', 'STALE', 'JOIN', 'BYPASS'];
export const USAGE_SOURCES: readonly Usage['source'][] = ['provider', 'estimated'];

export function codeOf<Word>(words: readonly Word[], word: Word): number {
  const code = words.indexOf(word);
  assert(code >= 0, `${String(word)} has no code`);
  return code;
}

export function wordOf<Word>(words: readonly Word[], code: number): Word {
  const word = words[code];
  assert(word !== undefined, `${code} stands for nothing`);
  return word;
}
