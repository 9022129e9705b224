/**
 * What exchanges ask of their budgets, and reservations that end, as one command, and its
 * answer. Pure but for the sending.
 */
import type { RedisCommander } from 'ioredis';
import type { BudgetScope } from '../../gateway/ports/budget-store.ts';
import type { Nanousd } from '../../kernel/money.ts';
import { accountKeys, type BudgetPlace, recentKey } from './budget-keys.ts';
import type { Share } from './budget-reservation.ts';
import type { Load, Replies } from './gathering.ts';
import { type RedisScript, runGathered } from './script.ts';

export interface BudgetQuestion {
  /** Of the reservation; without a blank. */
  readonly id: string;
  readonly amountNanousd: Nanousd;
  readonly tenant: string;
  readonly scopes: readonly BudgetScope[];
}

export interface BudgetAnswer {
  /** `GRANTED`, `EXCEEDED`, or what is the matter with an account. */
  readonly kind: number;
  readonly nowMs: number;
  /** Little is left: what a reservation gives back may be missed. */
  readonly isTight: boolean;
  /** Of each scope, in their order: the amount is more than is left. */
  readonly isOver: readonly boolean[];
  readonly generations: readonly string[];
}

/** The end of a reservation. */
export interface BudgetWord {
  readonly id: string;
  readonly costNanousd: Nanousd;
  readonly parts: readonly WordPart[];
}

export interface WordPart {
  readonly share: Share;
  /** The ledger has told the cost. */
  readonly told: boolean;
}

export interface BudgetSending {
  readonly script: RedisScript;
  readonly leaseMs: number;
  readonly life: string;
  /** Time for the script; -1: the server's. */
  readonly nowMs: number;
}

const NO_GENERATION = '-';

/** Heard of a word: for each of its parts whether it is done. */
export async function sendBudgets(
  client: RedisCommander,
  { questions, words }: Load<BudgetQuestion, BudgetWord>,
  { script, leaseMs, life, nowMs }: BudgetSending,
): Promise<Replies<BudgetAnswer, readonly boolean[]>> {
  const keys = new Keys();
  const ended = words.map((word) => wordOf(word, keys));
  const made = questions.map((question) => questionOf(question, keys));
  const text = [ended.length, made.length, ...ended, ...made].join(' ');
  const values = [nowMs, leaseMs, life, text];
  const reply = new Reading(await runGathered(client, script, keys.names, values));
  const serverMs = reply.number();
  const heard = words.map(({ parts }) => parts.map(() => reply.flag()));
  const decided = questions.map(({ scopes }) => ({
    ...{ kind: reply.number(), nowMs: serverMs, isTight: reply.flag() },
    isOver: scopes.map(() => reply.flag()),
  }));
  const generations = reply.rest();
  const answers = decided.map((answer, i) => {
    const { tenant, scopes } = questions[i] as BudgetQuestion;
    const generationOf = ({ id }: BudgetScope) =>
      generations[keys.numberOf({ tenant, scopeId: id }) - 1] ?? NO_GENERATION;
    return { ...answer, generations: scopes.map(generationOf) };
  });
  return { answers, heard };
}

/** The keys of a command; a scope is known by its number among them. */
class Keys {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(place: BudgetPlace): number {
    const keys = accountKeys(place);
    const known = this.#numbers.get(keys[0]);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.names.push(...keys, recentKey(place));
    this.#numbers.set(keys[0], number);
    return number;
  }
}

/** Takes the words of an answer in their order. */
class Reading {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  number(): number {
    this.#at += 1;
    return Number(this.#words[this.#at - 1]);
  }

  flag(): boolean {
    return this.number() === 1;
  }

  rest(): readonly string[] {
    return this.#words.slice(this.#at);
  }
}

function wordOf({ id, costNanousd, parts }: BudgetWord, keys: Keys): string {
  let text = `${id} ${costNanousd} ${parts.length}`;
  for (const { share, told } of parts) {
    const generation = share.generation === '' ? NO_GENERATION : share.generation;
    text += ` ${keys.numberOf(share)} ${generation} ${share.madeAtMs} ${told ? 1 : 0}`;
  }
  return text;
}

function questionOf({ id, amountNanousd, tenant, scopes }: BudgetQuestion, keys: Keys): string {
  let text = `${id} ${amountNanousd} ${scopes.length}`;
  for (const { id: scopeId, budget } of scopes) {
    const number = keys.numberOf({ tenant, scopeId });
    text += ` ${number} ${budget.limitNanousd} ${budget.period} ${budget.soft === true ? 1 : 0}`;
  }
  return text;
}
