/**
 * What many requests ask of Redis at the same moment, in one command, and with it what others
 * have to tell it.
 *
 * 1. What is asked while a command is under way goes with the next: when that one is answered, or
 *    has been on its way for `HEAD_START_MS`, or a command is full. So a busy process sends few
 *    large commands, an idle one asks at once, and a Redis far away is asked without a queue.
 * 2. Words, for which nobody waits, go along with the next question, or alone: at the end of
 *    this turn where they are urgent, else within `WORDS_MS`.
 * 3. A question is answered or rejected within what its request may wait; it leaves at most
 *    `HEAD_START_MS` later than alone. One that was given up before it was sent is not sent.
 *    The breaker counts what a command waited for, never what a question waited here.
 * 4. What a server refuses for what is in it is sent again one by one, so that a key that is
 *    broken concerns nobody else.
 *
 * In a cluster each tenant gathers for itself, for its keys are on one node; else all together.
 */
import { GatheringGroup } from './gathering-group.ts';
import type { GatheringOptions, Word } from './gathering-load.ts';

export interface Gathering<Question, Answer, W> {
  /** A request waits for it. Rejects with a `RedisFailure`. */
  ask(tenant: string, question: Question): Promise<Answer>;
  tell(tenant: string, word: W, isUrgent: boolean): void;
  /** Sends what waits to be told; resolves when all that was told is heard, or lost. */
  flush(): Promise<void>;
}

export function createGathering<Question, Answer, W extends Word<Heard>, Heard>(
  options: GatheringOptions<Question, Answer, W, Heard>,
): Gathering<Question, Answer, W> {
  const { redis } = options;
  const together = new GatheringGroup(options, () => undefined);
  const groups = new Map<string, typeof together>();

  function groupOf(tenant: string): typeof together {
    if (!redis.isCluster) return together;
    const known = groups.get(tenant);
    if (known !== undefined) return known;
    const group = new GatheringGroup(options, () => groups.delete(tenant));
    groups.set(tenant, group);
    return group;
  }

  return {
    ask: (tenant, question) => groupOf(tenant).ask(question),
    tell: (tenant, word, isUrgent) => groupOf(tenant).tell(word, isUrgent),
    async flush() {
      await Promise.all([together, ...groups.values()].map((group) => group.flush()));
    },
  };
}
