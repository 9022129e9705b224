/**
 * Asks every member for its figures and waits for them, though not for long: of one that is
 * late its last ones count. Whoever asks meanwhile gets the same answer, so that there is one
 * round at a time.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Crew } from './crew.ts';
import { createFiguresBook, type Reports } from './figures.ts';

export interface Gathering {
  /** Resolves after `GATHER_MS` at the latest; never rejects. */
  gather(): Promise<readonly Reports[]>;
  take(member: number, round: number, reports: Reports): void;
  /** The member is gone. */
  end(member: number): void;
}

const GATHER_MS = 1000;

interface Round {
  readonly number: number;
  readonly missing: Set<number>;
  readonly done: Promise<readonly Reports[]>;
  finish(): void;
}

export function createGathering(crew: Pick<Crew, 'tell' | 'serving'>, clock: Clock): Gathering {
  const book = createFiguresBook();
  let number = 0;
  let current: Round | null = null;

  function begin(): Round {
    number += 1;
    const { promise: done, resolve } = Promise.withResolvers<readonly Reports[]>();
    const timer = clock.setTimer(GATHER_MS, () => round.finish());
    const round: Round = {
      ...{ number, done, missing: new Set(crew.serving()) },
      finish() {
        timer.cancel();
        if (current === round) current = null;
        resolve(book.all());
      },
    };
    current = round;
    crew.tell({ kind: 'figures', round: number });
    if (round.missing.size === 0) round.finish();
    return round;
  }

  function arrived(member: number): void {
    if (current?.missing.delete(member) === true && current.missing.size === 0) current.finish();
  }

  return {
    gather: () => (current ?? begin()).done,
    take(member, round, reports) {
      book.take(member, reports);
      if (round === current?.number) arrived(member);
    },
    end(member) {
      book.end(member);
      arrived(member);
    },
  };
}
