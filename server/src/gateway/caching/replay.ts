/**
 * Stored answers as answers again: the very bytes that the first client was given.
 *
 * A stored answer has no canonical form beside its bytes; what needs one must stand behind the
 * cache.
 */
import type { Answer } from '../model/answer.ts';
import type { CacheEntry } from '../ports/cache-store.ts';

export function answerOf(entry: CacheEntry): Answer {
  const { dialect, contentType, bytes, usage, finishReasons } = entry;
  return { kind: 'plain', dialect, contentType, bytes, body: null, usage, finishReasons };
}
