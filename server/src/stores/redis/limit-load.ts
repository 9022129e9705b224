/**
 * What requests ask about their limits and give back, as one command, and its answer. Pure but
 * for the sending.
 */
import type { RedisCommander } from 'ioredis';
import type { LimitFigures } from '../../gateway/model/holds.ts';
import type { LimitScope, LimitState } from '../../gateway/ports/limit-store.ts';
import { assert } from '../../kernel/assert.ts';
import { counterKey } from './counter-keys.ts';
import type { Load, Replies, Word } from './gathering-load.ts';
import { FIGURES, NEVER_MS, REASONS, UNKNOWN_MS, UNLIMITED } from './limit-script.ts';
import { type RedisScript, runGathered } from './script.ts';

/** A scope and where it is counted. */
export interface LimitPlace {
  readonly id: string;
  readonly useKey: string;
  readonly placesKey: string;
}

/** One request, as Redis knows it. */
export interface LimitHolder {
  /** Of its lease; without a blank. */
  readonly name: string;
  readonly scopes: readonly LimitScope[];
  /** Of the scopes, in their order. */
  readonly places: readonly LimitPlace[];
}

export interface LimitQuestion extends LimitHolder {
  readonly tenant: string;
  readonly tokens: number;
}

export interface LimitAnswer {
  readonly question: LimitQuestion;
  /** Granted: null. */
  readonly refusal: {
    readonly scope: string;
    readonly reason: 'requests' | 'tokens' | 'concurrency';
    readonly retryAfterMs: number | null;
  } | null;
  readonly state: LimitState;
  /** More than a quarter of a limit is used: what is given back may be missed. */
  readonly isTight: boolean;
}

/** What a holder gives back. */
export interface Said {
  /** Than it was charged so far; may be negative. */
  readonly moreTokens: number;
  /** How long its places are kept from now on; 0: not at all. */
  readonly leaseMs: number;
}

export interface LimitWord extends Word<void> {
  readonly holder: LimitHolder;
  /** As of the moment at which it is sent; the same where it is sent once more. */
  said(): Said;
}

export interface LimitSending {
  readonly script: RedisScript;
  readonly leaseMs: number;
  /** Time for the script; -1: the server's. */
  readonly nowMs: number;
}

export async function sendLimits(
  client: RedisCommander,
  { questions, words }: Load<LimitQuestion, LimitWord>,
  { script, leaseMs, nowMs }: LimitSending,
): Promise<Replies<LimitAnswer, void>> {
  const keys = new Keys();
  let text = `${words.length} ${questions.length}`;
  for (const word of words) text += wordOf(word.holder, word.said(), keys);
  for (const question of questions) text += questionOf(question, keys);
  const values = [nowMs, leaseMs, text];
  const figures = await runGathered(client, script, keys.names, values);
  return { answers: questions.map((question, i) => answerOf(figures, i, question)), heard: [] };
}

export function limitPlace(tenant: string, id: string): LimitPlace {
  const useKey = counterKey(tenant, 'use', id);
  return { id, useKey, placesKey: counterKey(tenant, 'places', id) };
}

/** The keys of a command; a scope is known by its number among them. */
class Keys {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(place: LimitPlace | undefined): number {
    assert(place !== undefined, 'every scope has its place');
    const known = this.#numbers.get(place.useKey);
    if (known !== undefined) return known;
    this.names.push(place.useKey, place.placesKey);
    const number = this.names.length / 2;
    this.#numbers.set(place.useKey, number);
    return number;
  }
}

function wordOf(
  { name, scopes, places }: LimitHolder,
  { moreTokens, leaseMs }: Said,
  keys: Keys,
): string {
  let text = ` ${name} ${leaseMs} ${moreTokens} ${scopes.length}`;
  for (let i = 0; i < scopes.length; i += 1) {
    const { requestsPerMinute, tokensPerMinute, concurrency } = (scopes[i] as LimitScope).limits;
    const rates = `${requestsPerMinute ?? UNLIMITED} ${tokensPerMinute ?? UNLIMITED}`;
    text += ` ${keys.numberOf(places[i])} ${rates} ${concurrency === undefined ? 0 : 1}`;
  }
  return text;
}

function questionOf({ name, scopes, places, tokens }: LimitQuestion, keys: Keys): string {
  let text = ` ${name} ${tokens} ${scopes.length}`;
  for (let i = 0; i < scopes.length; i += 1) {
    const { requestsPerMinute, tokensPerMinute, concurrency } = (scopes[i] as LimitScope).limits;
    const rates = `${requestsPerMinute ?? UNLIMITED} ${tokensPerMinute ?? UNLIMITED}`;
    text += ` ${keys.numberOf(places[i])} ${rates} ${concurrency ?? UNLIMITED}`;
  }
  return text;
}

function answerOf(figures: readonly string[], i: number, question: LimitQuestion): LimitAnswer {
  const from = i * FIGURES;
  const scope = question.scopes[Number(figures[from]) - 1];
  const state = { requests: limitOf(figures, from + 3), tokens: limitOf(figures, from + 6) };
  const isTight = figures[from + 9] === '1';
  if (scope === undefined) return { question, refusal: null, state, isTight };
  const reason = REASONS[Number(figures[from + 1])] ?? 'requests';
  const waitMs = Number(figures[from + 2]);
  const retryAfterMs = waitMs === NEVER_MS || waitMs === UNKNOWN_MS ? null : waitMs;
  return { question, refusal: { scope: scope.id, reason, retryAfterMs }, state, isTight };
}

function limitOf(figures: readonly string[], from: number): LimitFigures | null {
  const limit = Number(figures[from]);
  if (limit === UNLIMITED) return null;
  return { limit, remaining: Number(figures[from + 1]), resetMs: Number(figures[from + 2]) };
}
