/**
 * One group of a gathering (`gathering.ts`): its queue of questions, its words, and the commands
 * that are under way.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { LinkedList } from '../../kernel/linked-list.ts';
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

/** One command, until it is answered. */
interface Flight<Question, Answer> {
  readonly asked: readonly Asked<Question, Answer>[];
  readonly end: Promise<void>;
}

/** Of each kind in one command: Redis does nothing else while it runs. */
const ITEMS_MOST = 100;
/** A command not answered by then keeps the next one no longer. */
const HEAD_START_MS = 2;
const WORDS_MS = 100;
/** A wait shorter than this is not begun. */
const LEAST_WAIT_MS = 1;
/** A timer later than this was held up by more than its own coarseness. */
const LATE_MS = 5;

export class GatheringGroup<Question, Answer, W extends Word<Heard>, Heard> {
  readonly #options: GatheringOptions<Question, Answer, W, Heard>;
  readonly #idle: () => void;
  readonly #clock: Clock;
  /** No more than requests in flight, as are the questions of `#flights`. */
  #waiting: Asked<Question, Answer>[] = [];
  readonly #flights = new LinkedList<Flight<Question, Answer>>();
  #words: W[] = [];
  /** Words ever told, and those of them that were taken to be sent. */
  #told = 0;
  #taken = 0;
  /** Flights with questions, and when the last of these left. */
  #asking = 0;
  #askedMs = 0;
  #isTelling = false;
  #holdTimer: Timer | null = null;
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
    do await Promise.all([this.#landed(), this.#taken < told ? nextTurn() : null]);
    while (this.#taken < told);
    await this.#landed();
  }

  #landed(): Promise<unknown> {
    return Promise.all(this.#flights.toArray().map(({ end }) => end));
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
    if (this.#waiting.length > 0) {
      const nowMs = this.#clock.monotonicMs();
      const holdMs = this.#askedMs + HEAD_START_MS - nowMs;
      if (this.#asking === 0 || holdMs <= 0 || this.#waiting.length >= ITEMS_MOST) {
        this.#ask(nowMs);
      } else {
        // An answer may come before, and plans the next itself.
        this.#holdTimer ??= this.#clock.setTimer(holdMs, this.#release);
      }
    } else if (this.#isDue && !this.#isTelling) {
      this.#isTelling = true;
      this.#start([], () => {
        this.#isTelling = false;
      });
    }
  };

  readonly #release = (): void => {
    this.#holdTimer = null;
    this.#plan();
  };

  #ask(nowMs: number): void {
    const asked = this.#takeWaiting();
    this.#asking += 1;
    this.#askedMs = nowMs;
    this.#start(asked, () => {
      this.#asking -= 1;
    });
    if (this.#waiting.length > 0) this.#plan();
  }

  #start(asked: readonly Asked<Question, Answer>[], ended: () => void): void {
    const end = this.#deliver(asked, this.#takeWords()).then(() => {
      flight.remove();
      ended();
      this.#goOn();
    });
    const flight = this.#flights.push({ asked, end });
  }

  #goOn(): void {
    if (this.#waiting.length > 0 || this.#isDue) this.#plan();
    else if (this.#words.length === 0 && this.#flights.size === 0) this.#idle();
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
        await Promise.all([
          ...asked.filter(({ isOver }) => !isOver).map((one) => this.#deliver([one], [])),
          ...words.map((word) => this.#deliver([], [word])),
        ]);
        return;
      }
      const nowMs = this.#clock.monotonicMs();
      for (const one of asked) if (end(one, nowMs)) one.reject(failure);
      for (const word of words) word.lost(failure.kind === 'command_failed');
    }
  }

  #run(load: Load<Question, W>): Promise<Replies<Answer, Heard>> {
    const { redis, ops, send } = this.#options;
    const { length } = load.questions;
    return length === 0
      ? redis.background(ops.tell, (client) => send(client, load))
      : redis.together(ops.ask, (client) => send(client, load), length);
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
    this.#giveUp(nowMs);
  }

  #giveUp(nowMs: number): void {
    for (const one of [...this.#flights.toArray().flatMap(askedOf), ...this.#waiting]) {
      if (one.isOver) continue;
      const limitMs = Math.min(one.allowance.leftMs, this.#options.redis.hotMs);
      if (one.sinceMs + limitMs > nowMs) this.#watch(nowMs, one.sinceMs + limitMs);
      else if (end(one, nowMs)) one.reject(this.#timeout(limitMs));
    }
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

function askedOf<Question, Answer>({ asked }: Flight<Question, Answer>) {
  return asked;
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
