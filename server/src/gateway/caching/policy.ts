/**
 * What may be looked up, given and stored: by the route's policy, the client's cache-control
 * and the answer itself. Times are those of the wall clock, for processes share entries.
 *
 * 1. Only a request whose answer is repeatable is looked up or stored: temperature 0, an
 *    embedding, or one whose client opted in by asking for an age or for the cache alone. A
 *    route may leave it to the clients, or hold for every answer that it is; a key may ask for
 *    all of its requests, leave it to each of them, or do without.
 * 2. Only a complete answer that ended by itself is stored: not one cut by length, filtered,
 *    or refused for its size.
 * 3. A client can narrow what it is given (age, no stale ones), never widen what the route
 *    allows.
 *
 * Counts of tokens bypass the cache.
 */
import { isJsonArray, type JsonValue } from '../../kernel/json.ts';
import type { Random } from '../../kernel/random.ts';
import type { FinishReason } from '../model/answer.ts';
import type { CacheUse } from '../model/principal.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { RouteCachePolicy } from '../model/route.ts';
import type { Operation } from '../model/target.ts';
import type { CacheEntry } from '../ports/cache-store.ts';

/** Why the cache is not used, as RFC 9211 `detail`. */
export type BypassDetail =
  | 'disabled'
  | 'off-for-key'
  | 'token-count'
  | 'no-store'
  | 'not-deterministic'
  | 'inexact-number';

export type CachePlan =
  | { readonly kind: 'bypass'; readonly detail: BypassDetail }
  | {
      readonly kind: 'use';
      /** False when the client wants a new answer; it is stored all the same. */
      readonly lookup: boolean;
      /** Oldest answer the client accepts; null: what is fresh. */
      readonly maxAgeMs: number | null;
      /** How long after its freshness an entry may stand in for targets that are all down. */
      readonly staleIfErrorMs: number;
      /** How long after its freshness an entry is given while it is renewed. */
      readonly staleWhileRevalidateMs: number;
    };

export type Freshness = 'fresh' | 'renewable' | 'stale' | 'unusable';

const SECOND_MS = 1000;
/** Entries stored together do not all expire together. */
const TTL_JITTER = 0.1;

const REPEATABLE: ReadonlySet<FinishReason> = new Set<FinishReason>([
  'stop',
  'tool_calls',
  'function_call',
]);

export function planCache(
  request: InferenceRequest,
  policy: RouteCachePolicy,
  use: CacheUse,
): CachePlan {
  const { noStore, noCache, maxAgeSeconds } = request.cacheControl;
  const { staleIfErrorSeconds, staleWhileRevalidateSeconds } = request.cacheControl;
  if (!policy.enabled) return bypass('disabled');
  if (use === 'off') return bypass('off-for-key');
  if (request.operation === 'count_tokens') return bypass('token-count');
  if (noStore) return bypass('no-store');
  if (!isRepeatable(request, policy, use)) return bypass('not-deterministic');
  if (!hasExactNumbers(request.body) || !hasExactNumbers(request.foreign?.body)) {
    return bypass('inexact-number');
  }
  return {
    kind: 'use',
    lookup: !noCache,
    maxAgeMs: maxAgeSeconds === null ? null : maxAgeSeconds * SECOND_MS,
    staleIfErrorMs: narrowed(policy.staleIfErrorSeconds, staleIfErrorSeconds) * SECOND_MS,
    staleWhileRevalidateMs:
      narrowed(policy.staleWhileRevalidateSeconds, staleWhileRevalidateSeconds) * SECOND_MS,
  };
}

/**
 * `fresh`: to be given. `renewable`: to be given, and renewed behind the answer. `stale`: to be
 * given only when every target is down. `unusable`: as if it were not there.
 */
export function freshness(
  plan: Extract<CachePlan, { kind: 'use' }>,
  entry: CacheEntry,
  nowMs: number,
): Freshness {
  const ageMs = nowMs - entry.storedAtMs;
  const isYoung = plan.maxAgeMs === null || ageMs <= plan.maxAgeMs;
  if (isYoung && nowMs < entry.freshUntilMs) return 'fresh';
  const isWithin = (staleMs: number): boolean =>
    nowMs < Math.min(entry.keepUntilMs, entry.freshUntilMs + staleMs);
  if (isYoung && isWithin(plan.staleWhileRevalidateMs)) return 'renewable';
  return isWithin(plan.staleIfErrorMs) ? 'stale' : 'unusable';
}

/** A complete answer, plain or streamed, as it may become an entry. */
export type Storable = Pick<
  CacheEntry,
  'dialect' | 'contentType' | 'bytes' | 'terminal' | 'usage' | 'finishReasons'
>;

export interface EntryOrigin {
  readonly provider: string;
  readonly providerModel: string;
  readonly dropped?: readonly string[];
  /** Of the tenant, before the answer was asked for. */
  readonly generation: string;
  readonly policy: RouteCachePolicy;
  readonly operation: Operation;
  /** What the client wants it to be fresh for at most; null where it does not say. */
  readonly ttlSeconds: number | null;
}

/** The entry for an answer; null when it must not be stored. */
export function entryOf(
  answer: Storable,
  { policy, operation, ttlSeconds, ...origin }: EntryOrigin,
  nowMs: number,
  random: Random,
): CacheEntry | null {
  const { dialect, contentType, bytes, terminal, usage, finishReasons } = answer;
  if (bytes.length + (terminal?.length ?? 0) > policy.maxEntryBytes) return null;
  if (!endedByItself(finishReasons, operation)) return null;
  const ttlMs = narrowed(policy.ttlSeconds, ttlSeconds) * SECOND_MS;
  const staleSeconds = Math.max(policy.staleIfErrorSeconds, policy.staleWhileRevalidateSeconds);
  const freshUntilMs = nowMs + Math.floor(ttlMs - ttlMs * TTL_JITTER * random.float());
  return {
    dialect,
    contentType,
    bytes,
    terminal,
    usage,
    finishReasons,
    ...origin,
    storedAtMs: nowMs,
    freshUntilMs,
    keepUntilMs: freshUntilMs + staleSeconds * SECOND_MS,
  };
}

/** Whole seconds since the answer was stored, as the `age` header says it. */
export function ageSeconds(entry: CacheEntry, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - entry.storedAtMs) / SECOND_MS));
}

function bypass(detail: BypassDetail): CachePlan {
  return { kind: 'bypass', detail };
}

/** What a route allows, or less where the client asks for less. */
function narrowed(allowed: number, asked: number | null): number {
  return Math.min(allowed, asked ?? allowed);
}

function isRepeatable(
  { operation, temperature, cacheControl }: InferenceRequest,
  { mode }: RouteCachePolicy,
  use: CacheUse,
): boolean {
  const { maxAgeSeconds, onlyIfCached, optIn } = cacheControl;
  if (use === 'always' || optIn || onlyIfCached || maxAgeSeconds !== null) return true;
  if (use === 'requested') return false;
  if (mode === 'always') return true;
  return mode === 'deterministic' && (temperature === 0 || operation === 'embedding');
}

function endedByItself(reasons: readonly FinishReason[], operation: Operation): boolean {
  if (operation === 'embedding') return true;
  return reasons.length > 0 && reasons.every((reason) => REPEATABLE.has(reason));
}

/**
 * False when a number is too large to be told from its neighbours after parsing: two bodies
 * that a provider tells apart would have one key.
 */
function hasExactNumbers(value: JsonValue | undefined): boolean {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  }
  if (typeof value !== 'object' || value === null) return true;
  const members = isJsonArray(value) ? value : Object.values(value);
  return members.every(hasExactNumbers);
}
