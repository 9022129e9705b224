/** What goes together in one command of a gathering (`gathering.ts`), and what comes back. */
import type { RedisCommander } from 'ioredis';
import type { Clock } from '../../kernel/clock.ts';
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

/** What is to be told. One of the two is called, once. */
export interface Word<Heard> {
  heard(heard: Heard): void;
  /** Nobody knows whether it was heard; `isRefused`: sent alone, and refused for what it says. */
  lost(isRefused: boolean): void;
}

export interface GatheringOptions<Question, Answer, W extends Word<Heard>, Heard> {
  readonly redis: RedisStore;
  readonly clock: Clock;
  /** Names of the operations: of questions, and of words that go alone. */
  readonly ops: { readonly ask: string; readonly tell: string };
  /** Sends all of it as one command. */
  readonly send: (
    client: RedisCommander,
    load: Load<Question, W>,
  ) => Promise<Replies<Answer, Heard>>;
  /** An answer that came when nobody waited for it any more. */
  readonly unwanted: (answer: Answer) => void;
}
