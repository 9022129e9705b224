/**
 * Asks every member for its figures and waits for them, though not for long: of one that is
 * late its last ones count. Whoever asks meanwhile gets the same answer, so that there is one
 * round at a time.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Crew } from './crew.ts';
import { createFiguresBook, type Reports } from './figures.ts';
import { createRounds } from './rounds.ts';

export interface Gathering {
  /** Resolves after a second at the latest; never rejects. */
  gather(): Promise<readonly Reports[]>;
  take(member: number, round: number, reports: Reports): void;
  /** The member is gone. */
  end(member: number): void;
}

export function createGathering(crew: Pick<Crew, 'tell' | 'serving'>, clock: Clock): Gathering {
  const book = createFiguresBook();
  const rounds = createRounds(crew, clock);
  let current: Promise<readonly Reports[]> | null = null;

  async function begin(): Promise<readonly Reports[]> {
    await rounds.ask((round) => ({ kind: 'figures', round }));
    current = null;
    return book.all();
  }

  return {
    gather() {
      current ??= begin();
      return current;
    },
    take(member, round, reports) {
      book.take(member, reports);
      rounds.arrived(member, round);
    },
    end(member) {
      book.end(member);
      rounds.end(member);
    },
  };
}
