/**
 * How long a target may take to its first token, learnt from its own first tokens: pure
 * functions from what was seen to the limit of the next call.
 *
 * 1. Until enough first tokens have come, the limit is the configured one. From then on it is
 *    a multiple of what is slow for this target: a quick target is given up sooner, a slow and
 *    healthy one later. It never leaves the configured range.
 * 2. Only first tokens that came lengthen the limit beyond the configured one: a target that
 *    never answers cannot earn patience.
 * 3. Each limit that was reached in a row doubles a shortened one, up to the configured one: a
 *    quick target that turned slow is found healthy again, and does not starve on its past.
 */

import { createBoundedMap } from '../../kernel/bounded-map.ts';
import type { Timeouts } from '../model/target.ts';

export interface FirstTokens {
  /** Milliseconds, the oldest first. */
  readonly seenMs: readonly number[];
  /** What all but the slowest few of them stayed below; null while there are too few. */
  readonly usualMs: number | null;
  /** Limits reached since the last first token. */
  readonly missed: number;
}

export const NOTHING_SEEN: FirstTokens = { seenMs: [], usualMs: null, missed: 0 };

const SAMPLES = 40;
const ENOUGH = 10;
const SLOWEST_SHARE = 0.05;
/** Longer prompts, a busier provider: what is usual may take this many times as long. */
const PATIENCE = 3;

export function withFirstToken({ seenMs: before }: FirstTokens, tookMs: number): FirstTokens {
  const seenMs = before.slice(1 - SAMPLES);
  seenMs.push(tookMs);
  return { seenMs, usualMs: seenMs.length < ENOUGH ? null : slowestUsual(seenMs), missed: 0 };
}

export function withMiss(seen: FirstTokens): FirstTokens {
  return { ...seen, missed: seen.missed + 1 };
}

export function firstTokenLimitMs(seen: FirstTokens, timeouts: Timeouts): number {
  const { firstTokenMs, firstTokenRange: range } = timeouts;
  if (range === undefined || seen.usualMs === null) return firstTokenMs;
  const learntMs = Math.min(range.maxMs, Math.max(range.minMs, PATIENCE * seen.usualMs));
  return Math.max(learntMs, Math.min(firstTokenMs, learntMs * 2 ** seen.missed));
}

function slowestUsual(seenMs: readonly number[]): number {
  const sorted = seenMs.toSorted((a, b) => a - b);
  return sorted[Math.ceil((1 - SLOWEST_SHARE) * sorted.length) - 1] ?? 0;
}

/** What was seen of each target, by its id. */
export interface FirstTokenBook {
  limitMs(target: string, timeouts: Timeouts): number;
  came(target: string, tookMs: number): void;
  missed(target: string): void;
}

/** Targets come from clients too (`provider/model`); beyond it the oldest are forgotten. */
const MAX_TARGETS = 4096;

export function createFirstTokenBook(): FirstTokenBook {
  const targets = createBoundedMap<{ seen: FirstTokens }>(MAX_TARGETS, () => false);
  const of = (target: string) => targets.get(target) ?? targets.add(target, { seen: NOTHING_SEEN });
  return {
    limitMs: (target, timeouts) =>
      firstTokenLimitMs(targets.get(target)?.seen ?? NOTHING_SEEN, timeouts),
    came(target, tookMs) {
      const entry = of(target);
      entry.seen = withFirstToken(entry.seen, tookMs);
    },
    missed(target) {
      const entry = of(target);
      entry.seen = withMiss(entry.seen);
    },
  };
}
