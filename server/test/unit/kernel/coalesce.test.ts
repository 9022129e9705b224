/**
 * Sharing runs of one piece of work: never two at once, and never one that began too early.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { coalesce } from '../../../src/kernel/coalesce.ts';

describe('work that many ask for', () => {
  it('runs one at a time, and each asker gets a run that began after the question', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 8 }),
        async (scheduler, askers) => {
          let begun = 0;
          let running = 0;
          const ended = new Set<number>();
          const ask = coalesce(async () => {
            begun += 1;
            const run = begun;
            running += 1;
            assert.equal(running, 1);
            await scheduler.schedule(Promise.resolve(), 'work');
            running -= 1;
            ended.add(run);
          });
          const asker = async (): Promise<void> => {
            await scheduler.schedule(Promise.resolve(), 'question');
            const before = begun;
            await ask();
            assert.equal(
              [...ended].some((run) => run > before),
              true,
            );
          };

          const all = Promise.all(Array.from({ length: askers }, asker));
          await scheduler.waitFor(all);

          assert.equal(begun <= askers, true);
        },
      ),
    );
  });

  it('is shared by all who ask before it begins', async () => {
    let runs = 0;
    const ask = coalesce(async () => {
      runs += 1;
    });

    await Promise.all([ask(), ask(), ask()]);

    assert.equal(runs, 1);
  });
});
