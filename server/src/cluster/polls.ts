/**
 * One question to every member, and what they answered: plain data that only those who ask and
 * answer understand. Who is late is left out.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Crew } from './crew.ts';
import type { Question } from './messages.ts';
import { createRounds } from './rounds.ts';

export interface Polls {
  /** Resolves after a second at the latest; never rejects. */
  ask(question: Question): Promise<readonly unknown[]>;
  take(member: number, round: number, answer: unknown): void;
  /** The member is gone. */
  end(member: number): void;
}

export function createPolls(crew: Pick<Crew, 'tell' | 'serving'>, clock: Clock): Polls {
  const rounds = createRounds(crew, clock);
  const answers = new Map<number, unknown[]>();
  return {
    async ask(question) {
      const mine: unknown[] = [];
      let asked = 0;
      await rounds.ask((round) => {
        asked = round;
        answers.set(round, mine);
        return { kind: 'asked', round, question };
      });
      answers.delete(asked);
      return mine;
    },
    take(member, round, answer) {
      const all = answers.get(round);
      if (rounds.arrived(member, round)) all?.push(answer);
    },
    end: (member) => rounds.end(member),
  };
}
