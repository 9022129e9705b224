/**
 * How an account comes to be, when it is new, lost or not to be relied on: from the ledger, and
 * from what every process that lives tells of it.
 *
 * One process loads at a time. It calls for a census; each process then, in one turn of its
 * event loop, marks the end of its journal, takes down what it has reserved, and notes that the
 * ledger tells all its bookings so far. When its journal is applied up to the mark it puts its
 * reservations into the account. When all have answered the ledger is asked for the sum.
 *
 * Why nothing is lost or counted twice: what a process appended before its mark is in the sum,
 * and its booking adds nothing. What it appended later is booked only when the account is
 * ready, by a generation that says "after the mark"; the few of those that the sum contains
 * are known by their ids. A booking whose process missed the census makes the account stale.
 */

import { periodStartMs } from '../../gateway/model/budget-period.ts';
import type { BudgetPeriod } from '../../gateway/model/principal.ts';
import type { SharedSpending } from '../../gateway/ports/budget-store.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import type { Nanousd } from '../../kernel/money.ts';
import { GRANTED, TO_LOAD } from './budget-account.ts';
import type { AccountScripts } from './budget-account-scripts.ts';
import { accountKeys, answersKey, type BudgetPlace, placeName, recentKey } from './budget-keys.ts';
import { runScript, type ScriptValue } from './script.ts';
import type { RedisStore } from './store.ts';
import { UNKNOWN_LIFE, type Workers } from './workers.ts';

/** What every process is asked. */
export interface Call extends BudgetPlace {
  readonly token: string;
  /** Start of the period that is loaded. */
  readonly sinceMs: number;
  /** Who asks. */
  readonly from: string;
}

/** What this process has to say about a place, taken down in one turn. */
export interface Statement {
  /** Reservations and their amounts. */
  readonly reserved: readonly (readonly [id: string, amountNanousd: Nanousd])[];
  /** It may not have been heard: what is booked by it makes the account be loaded again. */
  withdraw(): void;
}

export interface CensusOptions {
  readonly redis: RedisStore;
  readonly scripts: AccountScripts;
  readonly workers: Workers;
  readonly history: SharedSpending;
  readonly clock: Clock;
  readonly nextToken: () => string;
  readonly leaseMs: number;
  readonly now: () => number;
  /** Called in the turn of the mark: from now on what is booked comes after the census. */
  readonly state: (call: Call) => Statement;
}

export interface BudgetCensus {
  /** True when the account is ready; false when it could not be loaded. Never rejects. */
  load(place: BudgetPlace, period: BudgetPeriod): Promise<boolean>;
  close(): void;
}

const CHANNEL = 'esclusa:budget-census';
/** How long a load may take before another process takes over. */
const LOAD_MS = 10_000;
const ANSWERS_MS = 4000;
const POLL_MS = 10;
const CALL_AGAIN_MS = 250;
const FOREIGN_LOAD_MS = 5000;
const FINISH_TRIES = 4;
const FINISH_PAUSE_MS = 100;
const CHUNK = 500;
const ANSWERED_MOST = 100_000;
/** Clocks of processes may differ by this much. */
const RECENT_MS = 60_000;
const RECENT_KEPT_MS = 1_200_000;

export function createBudgetCensus(options: CensusOptions): BudgetCensus {
  return new Census(options);
}

class Census implements BudgetCensus {
  readonly #options: CensusOptions;
  /** Loads under way in this process. */
  readonly #loads = new Map<string, Promise<boolean>>();
  /** Calls answered lately, for they come twice; until they are forgotten. */
  readonly #answered = new Map<string, Timer>();
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();

  constructor(options: CensusOptions) {
    this.#options = options;
    this.#unsubscribe = options.redis.subscribe(CHANNEL, (message) => this.#called(message));
  }

  load(place: BudgetPlace, period: BudgetPeriod): Promise<boolean> {
    const name = placeName(place);
    const under = this.#loads.get(name);
    if (under !== undefined) return under;
    const load = this.#load(place, period)
      .catch(() => false)
      .finally(() => this.#loads.delete(name));
    this.#loads.set(name, load);
    return load;
  }

  close(): void {
    this.#unsubscribe();
    this.#closing.abort();
    for (const timer of this.#answered.values()) timer.cancel();
  }

  async #load(place: BudgetPlace, period: BudgetPeriod): Promise<boolean> {
    const { clock, nextToken } = this.#options;
    if (!(await this.#knowsLife())) return false;
    const token = nextToken();
    const endMs = clock.monotonicMs() + FOREIGN_LOAD_MS;
    for (;;) {
      const [kind, nowMs, life] = await this.#begin(place, token, period);
      if (kind === GRANTED) return true;
      if (kind === TO_LOAD) return this.#count(place, token, period, { nowMs, life });
      if (clock.monotonicMs() >= endMs) return false;
      await this.#pause(POLL_MS * 2);
    }
  }

  async #knowsLife(): Promise<boolean> {
    const { workers } = this.#options;
    if (workers.life() === UNKNOWN_LIFE) await workers.roll();
    return workers.life() !== UNKNOWN_LIFE;
  }

  async #begin(place: BudgetPlace, token: string, period: string) {
    const values = [this.#options.now(), token, LOAD_MS, period, this.#options.workers.life()];
    try {
      const reply = await this.#run('budgets.begin', 'begin', accountKeys(place), values);
      return reply as readonly [kind: number, nowMs: number, life: string];
    } catch (error) {
      // It may be ours, and nobody else's then.
      await this.#finish(place, token, []).catch(() => false);
      throw error;
    }
  }

  /** The load is ours: takes the census, asks the ledger, and writes the account. */
  async #count(
    place: BudgetPlace,
    token: string,
    period: BudgetPeriod,
    { nowMs, life }: { readonly nowMs: number; readonly life: string },
  ): Promise<boolean> {
    const { history } = this.#options;
    let outcome: readonly ScriptValue[] = [];
    try {
      const sinceMs = periodStartMs(period, nowMs);
      await this.#callAll({ ...place, token, sinceMs, from: this.#options.workers.id });
      const question = { scopeId: place.scopeId, sinceMs, endedSinceMs: nowMs - RECENT_MS };
      const { spentNanousd, recentIds } = await history.spending(question);
      await this.#keepRecent(place, token, recentIds);
      outcome = [period, sinceMs, spentNanousd, life];
    } catch {
      // The account stays closed: whoever asks next tries again.
    }
    return this.#finish(place, token, outcome);
  }

  /** Tried again, for nobody else may load the account before its time is over. */
  async #finish(
    place: BudgetPlace,
    token: string,
    outcome: readonly ScriptValue[],
  ): Promise<boolean> {
    const keys = [...accountKeys(place), answersKey(place)];
    for (let tries = 1; ; tries += 1) {
      const values = [this.#options.now(), token, ...outcome];
      try {
        return (await this.#run('budgets.finish', 'finish', keys, values)) === 1;
      } catch (error) {
        if (tries >= FINISH_TRIES) throw error;
        await this.#pause(FINISH_PAUSE_MS * tries);
      }
    }
  }

  /** Resolves when every process that lives has answered; rejects when one does not. */
  async #callAll(call: Call): Promise<void> {
    const { clock, redis, workers } = this.#options;
    await this.#answer(call);
    const endMs = clock.monotonicMs() + ANSWERS_MS;
    let calledMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      const roll = await workers.roll();
      const others = roll.ids.filter((id) => id !== workers.id);
      if (roll.isComplete && others.length === 0) return;
      if (clock.monotonicMs() - calledMs >= CALL_AGAIN_MS) {
        calledMs = clock.monotonicMs();
        await redis.publish(CHANNEL, JSON.stringify(call));
      }
      const answers = await redis.background('budgets.answers', (client) =>
        client.hgetall(answersKey(call)),
      );
      if (roll.isComplete && others.every((id) => answers[id] === call.token)) return;
      if (clock.monotonicMs() >= endMs) throw new Error('a process did not answer the census');
      await this.#pause(POLL_MS);
    }
  }

  #called(message: Buffer): void {
    const call = readCall(message.toString());
    if (call === null || call.from === this.#options.workers.id) return;
    const { token } = call;
    if (this.#answered.has(token) || this.#answered.size >= ANSWERED_MOST) return;
    const forget = this.#options.clock.setTimer(LOAD_MS, () => this.#answered.delete(token));
    this.#answered.set(token, forget);
    this.#answer(call).catch(() => {
      forget.cancel();
      this.#answered.delete(token); // the next call finds it unanswered
    });
  }

  async #answer(call: Call): Promise<void> {
    const { history, state } = this.#options;
    // One turn: the mark in the journal and the statement must be of the same moment.
    const statement = state(call);
    try {
      await history.settled();
      if (!(await this.#say(call, statement))) statement.withdraw();
    } catch (error) {
      statement.withdraw();
      throw error;
    }
  }

  /** False where it comes too late. */
  async #say(call: Call, { reserved }: Statement): Promise<boolean> {
    const { workers, leaseMs, now } = this.#options;
    const { token } = call;
    const keys = [...accountKeys(call), answersKey(call)];
    for (let from = 0; from === 0 || from < reserved.length; from += CHUNK) {
      const chunk = reserved.slice(from, from + CHUNK).flat();
      const isLast = from + CHUNK >= reserved.length;
      const values = [now(), token, leaseMs, isLast ? workers.id : '', ...chunk];
      if ((await this.#run('budgets.answer', 'answer', keys, values)) !== 1) return false;
    }
    return true;
  }

  async #keepRecent(place: BudgetPlace, token: string, ids: readonly string[]): Promise<void> {
    const [account] = accountKeys(place);
    for (let from = 0; from === 0 || from < ids.length; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK);
      const values = [this.#options.now(), token, from === 0 ? 1 : 0, RECENT_KEPT_MS, ...chunk];
      await this.#run('budgets.recent', 'recent', [account, recentKey(place)], values);
    }
  }

  #run(
    op: string,
    script: keyof AccountScripts,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    const { redis, scripts } = this.#options;
    return redis.background(op, (client) => runScript(client, scripts[script], keys, values));
  }

  #pause(durationMs: number): Promise<void> {
    return sleep(this.#options.clock, durationMs, this.#closing.signal);
  }
}

/** null where it is none: anybody who reaches Redis may have said it. */
function readCall(text: string): Call | null {
  try {
    const call = JSON.parse(text) as Partial<Call> | null;
    const { token, tenant, scopeId, from } = call ?? {};
    const isNamed = [token, tenant, scopeId, from].every((name) => typeof name === 'string');
    return isNamed && Number.isFinite(call?.sinceMs) ? (call as Call) : null;
  } catch {
    return null;
  }
}
