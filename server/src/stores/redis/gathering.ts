/**
 * What many requests ask of Redis at the same moment, in one command, and with it what others
 * have to tell it.
 *
 * 1. One command with questions is under way at a time; what is asked meanwhile goes with the
 *    next. So a busy process sends few large commands, and an idle one asks at once.
 * 2. Words, for which nobody waits, go along with the next question, or alone: at the end of
 *    this turn where they are urgent, else within `WORDS_MS`. They pass no earlier question.
 * 3. A question that was given up before it was sent is not sent.
 * 4. What a server refuses for what is in it is sent again one by one, so that a key that is
 *    broken concerns nobody else.
 *
 * In a cluster each tenant gathers for itself, for its keys are on one node; else all together.
 */
import type { RedisCommander } from 'ioredis';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { asRedisFailure } from './failure.ts';
import type { RedisStore } from './store.ts';

export interface Load<Question, Word> {
  readonly questions: readonly Question[];
  readonly words: readonly Word[];
}

/** In the order of the load. */
export interface Replies<Answer, Heard> {
  readonly answers: readonly Answer[];
  readonly heard: readonly Heard[];
}

export interface GatheringOptions<Question, Answer, Word, Heard> {
  readonly redis: RedisStore;
  readonly clock: Clock;
  /** Names of the operations: of a question, and of words that go alone. */
  readonly ops: { readonly ask: string; readonly tell: string };
  /** Sends all of it as one command. */
  readonly send: (
    client: RedisCommander,
    load: Load<Question, Word>,
  ) => Promise<Replies<Answer, Heard>>;
}

export interface Gathering<Question, Answer, Word, Heard> {
  /** A request waits for it. Rejects with a `RedisFailure`. */
  ask(tenant: string, question: Question): Promise<Answer>;
  /** Rejects where nobody knows whether it was heard. */
  tell(tenant: string, word: Word, isUrgent: boolean): Promise<Heard>;
  /** Sends what waits to be told; resolves when all that was told is answered, or failed. */
  flush(): Promise<void>;
}

/** Of each kind in one command: Redis does nothing else while it runs. */
const ITEMS_MOST = 100;
const WORDS_MS = 100;

export function createGathering<Question, Answer, Word, Heard>(
  options: GatheringOptions<Question, Answer, Word, Heard>,
): Gathering<Question, Answer, Word, Heard> {
  const { redis, ops } = options;
  const groups = new Map<string, Group<Question, Answer, Word, Heard>>();

  function groupOf(tenant: string): Group<Question, Answer, Word, Heard> {
    const name = redis.isCluster ? tenant : '';
    const known = groups.get(name);
    if (known !== undefined) return known;
    const group = new Group(options, () => groups.delete(name));
    groups.set(name, group);
    return group;
  }

  return {
    ask(tenant, question) {
      const asked: Item<Question, Answer> = { what: question, ...Promise.withResolvers<Answer>() };
      const group = groupOf(tenant);
      return redis
        .hot(ops.ask, (client) => group.ask(client, asked))
        .catch((failure) => {
          group.giveUp(asked);
          throw failure;
        });
    },
    tell: (tenant, word, isUrgent) => groupOf(tenant).tell(word, isUrgent),
    async flush() {
      await Promise.all([...groups.values()].map((group) => group.flush()));
    },
  };
}

interface Item<What, Outcome> {
  readonly what: What;
  readonly promise: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

class Group<Question, Answer, Word, Heard> {
  readonly #options: GatheringOptions<Question, Answer, Word, Heard>;
  readonly #idle: () => void;
  /** No more than requests in flight. */
  readonly #questions = new Set<Item<Question, Answer>>();
  readonly #sending = new Set<Promise<void>>();
  #words: Item<Word, Heard>[] = [];
  #client: RedisCommander | null = null;
  #timer: Timer | null = null;
  /** The words need not wait for a question any more. */
  #isDue = false;
  #isPlanned = false;
  #isAsking = false;
  #isTelling = false;

  constructor(options: GatheringOptions<Question, Answer, Word, Heard>, idle: () => void) {
    this.#options = options;
    this.#idle = idle;
  }

  ask(client: RedisCommander, question: Item<Question, Answer>): Promise<Answer> {
    this.#client = client;
    this.#questions.add(question);
    this.#plan();
    return question.promise;
  }

  giveUp(question: Item<Question, Answer>): void {
    this.#questions.delete(question);
  }

  tell(what: Word, isUrgent: boolean): Promise<Heard> {
    const word = { what, ...Promise.withResolvers<Heard>() };
    this.#words.push(word);
    if (isUrgent || this.#words.length >= ITEMS_MOST) this.#tellNow();
    else this.#timer ??= this.#options.clock.setTimer(WORDS_MS, () => this.#tellNow());
    return word.promise;
  }

  async flush(): Promise<void> {
    if (this.#words.length > 0) this.#tellNow();
    await Promise.allSettled([...this.#words.map(({ promise }) => promise), ...this.#sending]);
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
    if (this.#isAsking) return; // its answer plans the next
    const isAsking = this.#questions.size > 0;
    if (!isAsking && this.#isTelling) return;
    if (!isAsking && !this.#isDue) {
      this.#rest();
      return;
    }
    const sending = this.#deliver(this.#takeQuestions(), this.#takeWords()).finally(() => {
      this.#sending.delete(sending);
      if (isAsking) this.#isAsking = false;
      else this.#isTelling = false;
      if (this.#questions.size > 0 || this.#isDue) this.#plan();
      else this.#rest();
    });
    if (isAsking) this.#isAsking = true;
    else this.#isTelling = true;
    this.#sending.add(sending);
  };

  #rest(): void {
    if (this.#words.length === 0 && this.#sending.size === 0) this.#idle();
  }

  #takeQuestions(): readonly Item<Question, Answer>[] {
    const questions = [...this.#questions].slice(0, ITEMS_MOST);
    for (const question of questions) this.#questions.delete(question);
    return questions;
  }

  #takeWords(): readonly Item<Word, Heard>[] {
    const words = this.#words.splice(0, ITEMS_MOST);
    if (this.#words.length > 0) return words;
    this.#isDue = false;
    this.#timer?.cancel();
    this.#timer = null;
    return words;
  }

  /** Never rejects. */
  async #deliver(
    questions: readonly Item<Question, Answer>[],
    words: readonly Item<Word, Heard>[],
  ): Promise<void> {
    const load = { questions: questions.map(whatOf), words: words.map(whatOf) };
    try {
      const { answers, heard } = await this.#run(load);
      for (const [i, { resolve }] of questions.entries()) resolve(answers[i] as Answer);
      for (const [i, { resolve }] of words.entries()) resolve(heard[i] as Heard);
    } catch (error) {
      const isAlone = questions.length + words.length === 1;
      if (isAlone || asRedisFailure('', error).kind !== 'command_failed') {
        for (const { reject } of [...questions, ...words]) reject(error);
        return;
      }
      for (const word of words) await this.#deliver([], [word]);
      for (const question of questions) await this.#deliver([question], []);
    }
  }

  #run(load: Load<Question, Word>): Promise<Replies<Answer, Heard>> {
    const { redis, ops, send } = this.#options;
    const client = this.#client;
    if (load.questions.length > 0 && client !== null) return send(client, load);
    return redis.background(ops.tell, (background) => send(background, load));
  }
}

function whatOf<What>({ what }: { readonly what: What }): What {
  return what;
}
