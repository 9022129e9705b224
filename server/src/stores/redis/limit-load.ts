/**
 * What requests ask about their limits and give back, as one command, and its answer. Pure but
 * for the sending.
 */
import type { RedisCommander } from 'ioredis';
import type { LimitFigures, LimitScope, LimitState } from '../../gateway/ports/limit-store.ts';
import { counterKey } from './counter-keys.ts';
import type { Load, Replies } from './gathering.ts';
import { FIGURES, NEVER_MS, REASONS, UNKNOWN_MS, UNLIMITED } from './limit-script.ts';
import { type RedisScript, runGathered } from './script.ts';

/** One request, as Redis knows it. */
export interface LimitHolder {
  /** Of its lease; without a blank. */
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly LimitScope[];
}

export interface LimitQuestion {
  readonly holder: LimitHolder;
  readonly tokens: number;
}

export interface LimitAnswer {
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

/** What a holder gives back, as of the moment at which it is sent; null: nothing. */
export interface LimitWord {
  readonly holder: LimitHolder;
  said(): { readonly moreTokens: number; readonly leaseMs: number } | null;
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
  const given = words.map((word) => wordOf(word, keys)).filter((text) => text !== '');
  const asked = questions.map((question) => questionOf(question, keys));
  if (given.length + asked.length === 0) return { answers: [], heard: [] };
  const text = [given.length, asked.length, ...given, ...asked].join(' ');
  const figures = await runGathered(client, script, keys.names, [nowMs, leaseMs, text]);
  return {
    answers: questions.map(({ holder }, i) => answerOf(figures, i * FIGURES, holder.scopes)),
    heard: [],
  };
}

/** The keys of a command; a scope is known by its number among them. */
class Keys {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(tenant: string, scopeId: string): number {
    const use = counterKey(tenant, 'use', scopeId);
    const known = this.#numbers.get(use);
    if (known !== undefined) return known;
    this.names.push(use, counterKey(tenant, 'places', scopeId));
    const number = this.names.length / 2;
    this.#numbers.set(use, number);
    return number;
  }
}

function wordOf(word: LimitWord, keys: Keys): string {
  const said = word.said();
  if (said === null) return '';
  const { name, tenant, scopes } = word.holder;
  let text = `${name} ${said.leaseMs} ${said.moreTokens} ${scopes.length}`;
  for (const { id, limits } of scopes) {
    const { requestsPerMinute = UNLIMITED, tokensPerMinute = UNLIMITED, concurrency } = limits;
    const holds = concurrency === undefined ? 0 : 1;
    text += ` ${keys.numberOf(tenant, id)} ${requestsPerMinute} ${tokensPerMinute} ${holds}`;
  }
  return text;
}

function questionOf({ holder, tokens }: LimitQuestion, keys: Keys): string {
  const { name, tenant, scopes } = holder;
  let text = `${name} ${tokens} ${scopes.length}`;
  for (const { id, limits } of scopes) {
    const { requestsPerMinute = UNLIMITED, tokensPerMinute = UNLIMITED } = limits;
    const { concurrency = UNLIMITED } = limits;
    const number = keys.numberOf(tenant, id);
    text += ` ${number} ${requestsPerMinute} ${tokensPerMinute} ${concurrency}`;
  }
  return text;
}

function answerOf(
  figures: readonly string[],
  from: number,
  scopes: readonly LimitScope[],
): LimitAnswer {
  const at = (offset: number) => Number(figures[from + offset]);
  const scope = scopes[at(0) - 1];
  const reason = REASONS[at(1)] ?? '';
  const waitMs = at(2);
  const retryAfterMs = waitMs === NEVER_MS || waitMs === UNKNOWN_MS ? null : waitMs;
  return {
    refusal:
      scope === undefined || reason === '' ? null : { scope: scope.id, reason, retryAfterMs },
    state: { requests: figuresOf(at, 3), tokens: figuresOf(at, 6) },
    isTight: at(9) === 1,
  };
}

function figuresOf(at: (offset: number) => number, from: number): LimitFigures | null {
  const limit = at(from);
  if (limit === UNLIMITED) return null;
  return { limit, remaining: at(from + 1), resetMs: at(from + 2) };
}
