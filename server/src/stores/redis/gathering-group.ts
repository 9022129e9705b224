/**
 * One group of a gathering (`gathering.ts`): its queue of questions, its words, and the command
 * that is under way.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { asRedisFailure, RedisFailure } from './failure.ts';
import type { GatheringOptions, Load, Replies, Word } from './gathering-load.ts';
import type { Allowance } from './request-waits.ts';

interface Asked<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: RedisFailure) => void;
  readonly allowance: Allowance;
  readonly sinceMs: number;
  isOver: boolean;
}

/** Of each kind in one command: Redis does nothing else while it runs. */
const ITEMS_MOST = 100;
const WORDS_MS = 100;
/** A wait shorter than this is not begun. */
const LEAST_WAIT_MS = 1;
/** A timer later than this was held up by more than its own coarseness. */
const LATE_MS = 5;

export class GatheringGroup<Question, Answer, W extends Word<Heard>, Heard> {
  readonly #options: GatheringOptions<Question, Answer, W, Heard>;
  readonly #idle: () => void;
  readonly #clock: Clock;
  /** No more than requests in flight; those under way stay until they are answered. */
  #waiting: Asked<Question, Answer>[] = [];
  #underWay: readonly Asked<Question, Answer>[] = [];
  #words: W[] = [];
  /** Words ever told, and those of them that were taken to be sent. */
  #told = 0;
  #taken = 0;
  #telling: Promise<void> | null = null;
  #asking: Promise<void> | null = null;
  #wordTimer: Timer | null = null;
  #watchTimer: Timer | null = null;
  #watchedUntilMs = Number.POSITIVE_INFINITY;
  /** The words need not wait for a question any more. */
  #isDue = false;
  #isPlanned = false;

  constructor(options: GatheringOptions<Question, Answer, W, Heard>, idle: () => void) {
    this.#options = options;
    this.#idle = idle;
    this.#clock = options.clock;
  }

  ask(question: Question): Promise<Answer> {
    const { redis, ops } = this.#options;
    const allowance = redis.allowance();
    // What has nothing left is refused there, and counted.
    if (allowance.leftMs < LEAST_WAIT_MS) return redis.hot(ops.ask, unsent);
    return new Promise((resolve, reject) => {
      const sinceMs = this.#clock.monotonicMs();
      this.#waiting.push({ question, resolve, reject, allowance, sinceMs, isOver: false });
      this.#watch(sinceMs, sinceMs + Math.min(allowance.leftMs, redis.hotMs));
      this.#plan();
    });
  }

  tell(word: W, isUrgent: boolean): void {
    this.#words.push(word);
    this.#told += 1;
    if (isUrgent || this.#words.length >= ITEMS_MOST) this.#tellNow();
    else this.#wordTimer ??= this.#clock.setTimer(WORDS_MS, () => this.#tellNow());
  }

  async flush(): Promise<void> {
    const told = this.#told;
    if (this.#taken < told) this.#tellNow();
    do await Promise.all([this.#asking, this.#telling, this.#taken < told ? nextTurn() : null]);
    while (this.#taken < told);
    await Promise.all([this.#asking, this.#telling]);
  }

  #tellNow(): void {
    this.#isDue = true;
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(this.#send);
  }

  readonly #send = (): void => {
    this.#isPlanned = false;
    if (this.#asking !== null) return; // its end plans the next
    if (this.#waiting.length > 0) {
      this.#underWay = this.#takeWaiting();
      this.#asking = this.#deliver(this.#underWay, this.#takeWords()).finally(() => {
        this.#asking = null;
        this.#underWay = [];
        this.#goOn();
      });
    } else if (this.#isDue && this.#telling === null) {
      this.#telling = this.#deliver([], this.#takeWords()).finally(() => {
        this.#telling = null;
        this.#goOn();
      });
    }
  };

  #goOn(): void {
    if (this.#waiting.length > 0 || this.#isDue) this.#plan();
    else if (this.#words.length === 0 && this.#asking === null && this.#telling === null) {
      this.#idle();
    }
  }

  #takeWaiting(): readonly Asked<Question, Answer>[] {
    if (this.#waiting.length > ITEMS_MOST) return this.#waiting.splice(0, ITEMS_MOST);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #takeWords(): readonly W[] {
    const words = this.#words.splice(0, ITEMS_MOST);
    this.#taken += words.length;
    if (this.#words.length > 0) return words;
    this.#isDue = false;
    this.#wordTimer?.cancel();
    this.#wordTimer = null;
    return words;
  }

  /** Never rejects. */
  async #deliver(asked: readonly Asked<Question, Answer>[], words: readonly W[]): Promise<void> {
    if (asked.length + words.length === 0) return;
    try {
      const { answers, heard } = await this.#run({ questions: asked.map(questionOf), words });
      const nowMs = this.#clock.monotonicMs();
      for (const [i, one] of asked.entries()) {
        if (end(one, nowMs)) one.resolve(answers[i] as Answer);
        else this.#options.unwanted(answers[i] as Answer);
      }
      for (const [i, word] of words.entries()) word.heard(heard[i] as Heard);
    } catch (error) {
      const failure = asRedisFailure(this.#options.ops.ask, error);
      if (failure.kind === 'command_failed' && asked.length + words.length > 1) {
        for (const word of words) await this.#deliver([], [word]);
        for (const one of asked) if (!one.isOver) await this.#deliver([one], []);
        return;
      }
      const nowMs = this.#clock.monotonicMs();
      for (const one of asked) if (end(one, nowMs)) one.reject(failure);
      for (const word of words) word.lost();
    }
  }

  #run(load: Load<Question, W>): Promise<Replies<Answer, Heard>> {
    const { redis, ops, send } = this.#options;
    const { length } = load.questions;
    return length === 0
      ? redis.background(ops.tell, (client) => send(client, load))
      : redis.together(ops.ask, (client) => send(client, load));
  }

  /** One timer for all questions: whose time is over then is rejected. */
  #watch(nowMs: number, endMs: number): void {
    if (this.#watchedUntilMs <= endMs) return;
    this.#watchTimer?.cancel();
    this.#watchedUntilMs = endMs;
    this.#watchTimer = this.#clock.setTimer(endMs - nowMs, () => this.#look(endMs, false));
  }

  #look(endMs: number, isAgain: boolean): void {
    const nowMs = this.#clock.monotonicMs();
    const lateMs = nowMs - endMs;
    if (lateMs > LATE_MS && !isAgain) {
      // Held up: answers may lie unread in the socket.
      const moreMs = Math.min(lateMs, this.#options.redis.hotMs);
      this.#watchTimer = this.#clock.setTimer(moreMs, () => this.#look(endMs, true));
      return;
    }
    this.#watchedUntilMs = Number.POSITIVE_INFINITY;
    this.#watchTimer = null;
    this.#giveUp(nowMs, isAgain);
  }

  #giveUp(nowMs: number, isOurFault: boolean): void {
    const { redis } = this.#options;
    let missed = 0;
    for (const one of [...this.#underWay, ...this.#waiting]) {
      if (one.isOver) continue;
      const limitMs = Math.min(one.allowance.leftMs, redis.hotMs);
      if (one.sinceMs + limitMs > nowMs) this.#watch(nowMs, one.sinceMs + limitMs);
      else if (end(one, nowMs)) {
        if (limitMs >= redis.hotMs) missed += 1;
        one.reject(this.#timeout(limitMs));
      }
    }
    if (missed > 0 && !isOurFault) redis.missed(this.#timeout(redis.hotMs), missed);
    this.#waiting = this.#waiting.filter(({ isOver }) => !isOver);
  }

  #timeout(limitMs: number): RedisFailure {
    const { ask } = this.#options.ops;
    return new RedisFailure('timeout', ask, `${ask}: no answer within ${Math.round(limitMs)} ms`);
  }
}

/** False where it was answered or given up before. */
function end<Question, Answer>(asked: Asked<Question, Answer>, nowMs: number): boolean {
  if (asked.isOver) return false;
  asked.isOver = true;
  asked.allowance.leftMs -= nowMs - asked.sinceMs;
  return true;
}

function questionOf<Question>({ question }: { readonly question: Question }): Question {
  return question;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function unsent(): Promise<never> {
  return Promise.reject(new Error('this request may not wait any more'));
}
