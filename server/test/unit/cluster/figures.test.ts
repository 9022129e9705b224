/**
 * Goal: the figures of several workers never fall because one of them ended, and nobody who
 * asks waits for one that does not answer. Method: reports by hand, a clock by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFiguresBook, type Reports } from '../../../src/cluster/figures.ts';
import { createGathering } from '../../../src/cluster/gathering.ts';
import type { ToMember } from '../../../src/cluster/messages.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function counted(value: number, gauge = 0): Reports {
  const help = '';
  return [
    {
      ...{ name: 'calls_total', help, type: 'counter', aggregator: 'sum' },
      values: [{ labels: { model: 'a' }, value }],
    },
    {
      ...{ name: 'open', help, type: 'gauge', aggregator: 'sum' },
      values: [{ labels: {}, value: gauge }],
    },
  ];
}

function sumOf(reports: readonly Reports[], name: string): number {
  const found = reports.flat().filter((report) => report.name === name);
  return found.flatMap(({ values }) => values).reduce((sum, { value }) => sum + value, 0);
}

test('what an ended worker had counted stays, its gauges end with it', () => {
  const book = createFiguresBook();
  book.take(1, counted(5, 3));
  book.take(2, counted(7, 4));
  book.end(1);
  book.take(3, counted(1, 2));
  book.end(3);

  assert.equal(sumOf(book.all(), 'calls_total'), 13);
  assert.equal(sumOf(book.all(), 'open'), 4);
  assert.equal(book.all().length, 2, 'the ended ones are one list');
});

interface Round {
  readonly told: ToMember[];
  readonly gathering: ReturnType<typeof createGathering>;
  readonly clock: ReturnType<typeof createManualClock>;
}

function rounds(members: readonly number[]): Round {
  const told: ToMember[] = [];
  const clock = createManualClock();
  const crew = { tell: (message: ToMember) => void told.push(message), serving: () => members };
  return { told, clock, gathering: createGathering(crew, clock) };
}

test('who asks while a round runs gets its answer, and the next asks again', async () => {
  const { told, gathering } = rounds([1, 2]);
  const first = gathering.gather();
  const second = gathering.gather();
  gathering.take(1, 1, counted(1));
  gathering.take(2, 1, counted(2));

  assert.equal(sumOf(await first, 'calls_total'), 3);
  assert.equal(await first, await second);
  assert.deepEqual(told, [{ kind: 'figures', round: 1 }]);
  void gathering.gather();
  assert.deepEqual(told.at(-1), { kind: 'figures', round: 2 });
});

test('of a worker that does not answer the last figures count, after a second', async () => {
  const { gathering, clock } = rounds([1, 2]);
  const first = gathering.gather();
  gathering.take(1, 1, counted(1));
  gathering.take(2, 1, counted(2));
  await first;

  const second = gathering.gather();
  gathering.take(1, 2, counted(10));
  clock.advance(1000);

  assert.equal(sumOf(await second, 'calls_total'), 12);
});

test('a worker that dies meanwhile is not waited for', async () => {
  const { gathering } = rounds([1, 2]);
  const asked = gathering.gather();
  gathering.take(1, 1, counted(1));
  gathering.end(2);

  assert.equal(sumOf(await asked, 'calls_total'), 1);
});
