/**
 * Goal: a question reaches all workers, and nobody who asks it waits for one that does not
 * answer. Method: answers by hand, a clock by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToMember } from '../../../src/cluster/messages.ts';
import { createPolls } from '../../../src/cluster/polls.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const QUESTION = { topic: 'how', words: { much: 1 } };

function asked(members: readonly number[]) {
  const told: ToMember[] = [];
  const clock = createManualClock();
  const crew = { tell: (message: ToMember) => void told.push(message), serving: () => members };
  const polls = createPolls(crew, clock);
  return { told, clock, polls, answers: polls.ask(QUESTION) };
}

test('what all members answer is the answer, and each question has its own', async () => {
  const { told, polls, answers } = asked([1, 2]);
  const second = polls.ask(QUESTION);

  polls.take(1, 1, 'a');
  polls.take(2, 2, 'late in the second');
  polls.take(2, 1, 'b');
  polls.take(1, 2, 'c');

  assert.deepEqual(await answers, ['a', 'b']);
  assert.deepEqual(await second, ['late in the second', 'c']);
  assert.deepEqual(
    told,
    [1, 2].map((round) => ({ kind: 'asked', round, question: QUESTION })),
  );
});

test('a member answers once; what comes too late is nobody’s', async () => {
  const { clock, polls, answers } = asked([1, 2]);

  polls.take(1, 1, 'a');
  polls.take(1, 1, 'again');
  clock.advance(1000);
  polls.take(2, 1, 'too late');

  assert.deepEqual(await answers, ['a']);
});

test('nobody waits for a member that dies meanwhile, nor where nobody serves', async () => {
  const { polls, answers } = asked([1, 2]);
  polls.take(1, 1, 'a');
  polls.end(2);

  assert.deepEqual(await answers, ['a']);
  assert.deepEqual(await asked([]).answers, []);
});
