/**
 * What exchanges ask of their budgets, and reservations that end, as one command, and its
 * answer. Pure but for the sending.
 */
import type { RedisCommander } from 'ioredis';
import type { BudgetScope } from '../../gateway/ports/budget-store.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type { HeldPlace, Share } from './budget-reservation.ts';
import type { Load, Replies, Word } from './gathering-load.ts';
import { type RedisScript, runGathered } from './script.ts';

export interface BudgetQuestion {
  /** Of the reservation; without a blank. */
  readonly id: string;
  readonly amountNanousd: Nanousd;
  readonly scopes: readonly BudgetScope[];
  /** Of the scopes, in their order. */
  readonly places: readonly HeldPlace[];
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

/** The end of a reservation. Heard: for each of its shares whether it is done. */
export interface BudgetWord extends Word<readonly boolean[]> {
  readonly id: string;
  readonly costNanousd: Nanousd;
  readonly shares: readonly Share[];
}

export interface BudgetSending {
  readonly script: RedisScript;
  readonly leaseMs: number;
  readonly life: string;
  /** Time for the script; -1: the server's. */
  readonly nowMs: number;
}

const NO_GENERATION = '-';

export async function sendBudgets(
  client: RedisCommander,
  { questions, words }: Load<BudgetQuestion, BudgetWord>,
  { script, leaseMs, life, nowMs }: BudgetSending,
): Promise<Replies<BudgetAnswer, readonly boolean[]>> {
  const keys = new Keys();
  let text = `${words.length} ${questions.length}`;
  for (const word of words) text += wordOf(word, keys);
  for (const question of questions) text += questionOf(question, keys);
  const values = [nowMs, leaseMs, life, text];
  const reply = new Reading(await runGathered(client, script, keys.names, values));
  const serverMs = reply.number();
  const heard = words.map(({ shares }) => shares.map(() => reply.flag()));
  const decided = questions.map(({ scopes }) => ({
    ...{ kind: reply.number(), nowMs: serverMs, isTight: reply.flag() },
    isOver: scopes.map(() => reply.flag()),
    generations: [] as string[],
  }));
  const generations = reply.rest();
  for (const [i, answer] of decided.entries()) {
    for (const place of questions[i]?.places ?? []) {
      answer.generations.push(generations[keys.numberOf(place) - 1] ?? NO_GENERATION);
    }
  }
  return { answers: decided, heard };
}

/** The keys of a command; a scope is known by its number among them. */
class Keys {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf({ keys }: HeldPlace): number {
    const known = this.#numbers.get(keys[0]);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.names.push(...keys);
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

function wordOf({ id, costNanousd, shares }: BudgetWord, keys: Keys): string {
  let text = ` ${id} ${costNanousd} ${shares.length}`;
  for (const { place, generation, madeAtMs, told } of shares) {
    const known = generation === '' ? NO_GENERATION : generation;
    text += ` ${keys.numberOf(place)} ${known} ${madeAtMs} ${told ? 1 : 0}`;
  }
  return text;
}

function questionOf({ id, amountNanousd, scopes, places }: BudgetQuestion, keys: Keys): string {
  let text = ` ${id} ${amountNanousd} ${scopes.length}`;
  for (let i = 0; i < scopes.length; i += 1) {
    const { limitNanousd, period, soft } = (scopes[i] as BudgetScope).budget;
    const number = keys.numberOf(places[i] as HeldPlace);
    text += ` ${number} ${limitNanousd} ${period} ${soft === true ? 1 : 0}`;
  }
  return text;
}
