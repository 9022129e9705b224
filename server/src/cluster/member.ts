/**
 * One of several workers of this program, as it sees itself: it has its configuration from the
 * primary, tells it when it serves and what it counted, and stops when it is told to.
 *
 * 1. The terminal's Ctrl-C and hang-up reach every process; only the primary acts on them.
 * 2. A primary that dies takes the port with it: members that serve then stop in order instead of
 *    at once.
 * 3. A question that is not answered in `ANSWER_MS` fails.
 */
import cluster from 'node:cluster';
import {
  type ConfigFollower,
  type ConfigKeeper,
  createConfigFollower,
  type Handover,
  type Loaded,
  type ReloadOutcome,
  takeOver,
} from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { MetricReport } from '../kernel/meter.ts';
import type { Announcement, FromMember, StopHow, ToMember } from './messages.ts';

export interface Member {
  /** Of this process, as the log and `x-esclusa-worker` name it. */
  readonly pid: number;
  readonly loaded: Loaded;
  /** It takes the place of one that ended. */
  readonly isReplacement: boolean;
  keeper(log: Log): ConfigKeeper;
  /** Figures of all members, this one's among them, and of those that ended. Rejects late. */
  gather(): Promise<readonly (readonly MetricReport[])[]>;
  /** What all members, this one among them, answer to a question. Rejects late. */
  poll(topic: string, words: unknown): Promise<readonly unknown[]>;
  /** Answers the questions of a topic, at once and with plain data. */
  onPoll(topic: string, answer: (words: unknown) => unknown): void;
  /** Tells this member's figures whenever the primary asks. */
  answers(read: () => Promise<readonly MetricReport[]>): void;
  ready(announcement: Announcement): void;
  /** Told every time somebody wants this member to stop; also what was said before. */
  onStop(listener: (how: StopHow) => void): void;
  /** Lets the process end. */
  leave(): void;
}

const ANSWER_MS = 5000;

/** null: this process is no member of a cluster. */
export async function join(clock: Clock): Promise<Member | null> {
  const { worker } = cluster;
  if (worker === undefined) return null;
  const link = new Link(clock);
  process.on('SIGINT', () => undefined).on('SIGHUP', () => undefined);
  worker.on('disconnect', () => {
    // Who only starts holds nothing yet, and would wait for ever for a port: it is gone at once.
    if (!link.serves()) return;
    worker.exitedAfterDisconnect = true; // else the process would be gone at once
    link.stop('drain');
  });
  const { handover, isReplacement } = await link.welcome();
  return {
    pid: process.pid,
    loaded: takeOver(handover),
    isReplacement,
    keeper: (log) => link.follower(handover, log),
    gather: () => link.ask((number) => ({ kind: 'gather', number })),
    poll: (topic, words) =>
      link.ask((number) => ({ kind: 'poll', number, question: { topic, words } })),
    onPoll: (topic, answer) => link.onPoll(topic, answer),
    answers: (read) => link.answers(read),
    ready: (announcement) => link.send({ kind: 'ready', announcement }),
    onStop: (listener) => link.onStop(listener),
    leave() {
      worker.exitedAfterDisconnect = true;
      if (process.connected) process.disconnect();
    },
  };
}

type Answer = Extract<ToMember, { readonly number: number }>;
type Welcome = Extract<ToMember, { readonly kind: 'welcome' }>;

class Link {
  readonly #clock: Clock;
  readonly #questions = new Map<number, (answer: unknown) => void>();
  readonly #topics = new Map<string, (words: unknown) => unknown>();
  #number = 0;
  #follower: ConfigFollower | null = null;
  #read: (() => Promise<readonly MetricReport[]>) | null = null;
  #wishes: StopHow[] = [];
  #stopping: ((how: StopHow) => void) | null = null;
  #welcomed: ((welcome: Welcome) => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  welcome(): Promise<Welcome> {
    return new Promise((resolve) => {
      this.#welcomed = resolve;
      process.on('message', (message) => this.#hear(message as ToMember));
      this.send({ kind: 'hello' });
    });
  }

  follower({ state, catalogue }: Handover, log: Log): ConfigKeeper {
    this.#follower = createConfigFollower({
      ...{ initial: state, vendors: catalogue.vendors, log },
      ask: () => this.ask<ReloadOutcome['kind']>((number) => ({ kind: 'reload', number })),
    });
    return this.#follower;
  }

  answers(read: () => Promise<readonly MetricReport[]>): void {
    this.#read = read;
  }

  onPoll(topic: string, answer: (words: unknown) => unknown): void {
    this.#topics.set(topic, answer);
  }

  onStop(listener: (how: StopHow) => void): void {
    this.#stopping = listener;
    for (const how of this.#wishes.splice(0)) listener(how);
  }

  serves(): boolean {
    return this.#stopping !== null;
  }

  stop(how: StopHow): void {
    if (this.#stopping === null) this.#wishes = [how];
    else this.#stopping(how);
  }

  /** The primary may be gone: then nothing is said, and `disconnect` tells. */
  send(message: FromMember): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  }

  ask<Value>(question: (number: number) => FromMember): Promise<Value> {
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(ANSWER_MS, () => {
        this.#questions.delete(number);
        reject(new Error(`the primary process did not answer within ${ANSWER_MS} ms`));
      });
      this.#questions.set(number, (answer) => {
        timer.cancel();
        resolve(answer as Value); // the kind of an answer is that of its question
      });
      this.send(question(number));
    });
  }

  #hear(message: ToMember): void {
    switch (message.kind) {
      case 'welcome':
        this.#welcomed?.(message);
        return;
      case 'config':
        this.#follower?.follow(message.state);
        return;
      case 'figures':
        void this.#tellFigures(message.round);
        return;
      case 'asked': {
        const { topic, words } = message.question;
        const answer = this.#topics.get(topic)?.(words);
        this.send({ kind: 'answer', round: message.round, answer });
        return;
      }
      case 'stop':
        this.stop(message.how);
        return;
      case 'gathered':
      case 'polled':
      case 'reloaded':
        this.#answered(message);
    }
  }

  #answered(answer: Answer): void {
    const settle = this.#questions.get(answer.number);
    this.#questions.delete(answer.number);
    settle?.(said(answer));
  }

  async #tellFigures(round: number): Promise<void> {
    const reports = await (this.#read?.() ?? Promise.resolve([]));
    this.send({ kind: 'figures', round, reports });
  }
}

function said(answer: Answer): unknown {
  if (answer.kind === 'gathered') return answer.reports;
  return answer.kind === 'polled' ? answer.answers : answer.outcome;
}
