/**
 * Questions of the primary to all who serve, and who has answered each: a question is over when
 * all have, or when `ROUND_MS` is. What was answered is kept by whoever asked.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Crew } from './crew.ts';
import type { ToMember } from './messages.ts';

export interface Rounds {
  /** Asks with a number of its own; resolves after `ROUND_MS` at the latest, never rejects. */
  ask(question: (round: number) => ToMember): Promise<void>;
  /** False where that question is over for this member. */
  arrived(member: number, round: number): boolean;
  /** The member is gone. */
  end(member: number): void;
}

const ROUND_MS = 1000;

interface Round {
  readonly missing: Set<number>;
  readonly finish: () => void;
}

export function createRounds(crew: Pick<Crew, 'tell' | 'serving'>, clock: Clock): Rounds {
  const open = new Map<number, Round>();
  let number = 0;

  function arrived(member: number, round: number): boolean {
    const one = open.get(round);
    if (one?.missing.delete(member) !== true) return false;
    if (one.missing.size === 0) one.finish();
    return true;
  }

  return {
    arrived,
    ask(question) {
      number += 1;
      const round = number;
      const missing = new Set(crew.serving());
      const { promise, resolve } = Promise.withResolvers<void>();
      const finish = (): void => {
        timer.cancel();
        open.delete(round);
        resolve();
      };
      const timer = clock.setTimer(ROUND_MS, finish);
      open.set(round, { missing, finish });
      crew.tell(question(round));
      if (missing.size === 0) finish();
      return promise;
    },
    end(member) {
      for (const round of open.keys()) arrived(member, round);
    },
  };
}
