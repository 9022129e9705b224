/**
 * A gateway that starts while its Redis is not there, beside one whose Redis is: how soon it
 * serves, what that adds, and how soon it finds its Redis when that comes.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Owner } from '../../server/test/support/afterwards.ts';
import { freePort, startRedis } from '../../server/test/support/redis-server.ts';
import { type Figures, figuresOf, within } from '../stretches.ts';
import { isSame, type Subject, saidBy, startSubject, waitFor } from './subject.ts';

export interface Absent {
  /** From the start of the process to its first answer of a model. */
  readonly servesMs: number;
  /** From the start of Redis to the gateway's finding it; null: it did not. */
  readonly foundMs: number | null;
  /** While it was absent: the p99 less that of the other gateway. */
  readonly addedP99Ms: number;
  readonly whole: Figures;
  readonly transitions: Readonly<Record<string, number>>;
  readonly isCountRight: boolean;
}

const WARM_MS = 1500;
const ALONE_MS = 5000;
const LATE_MS = 20_000;
const STEP_MS = 20;

export async function measureAbsent(): Promise<Absent> {
  const ends: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (end) => void ends.push(end) };
  const started = async (port: number): Promise<Subject> => {
    const subject = await startSubject(port);
    ends.push(() => subject.end());
    return subject;
  };
  try {
    const well = await started((await startRedis(owner)).port);
    const port = await freePort();
    const startedMs = performance.now();
    const alone = await started(port);
    while (alone.asked.length === 0) await pause(STEP_MS);
    const servesMs = Math.round(performance.now() - startedMs);
    await pause(WARM_MS);
    const fromMs = performance.now();
    await pause(ALONE_MS);
    const stretches = [{ fromMs, toMs: performance.now() }];

    await startRedis(owner, { port });
    const foundMs = await waitFor(LATE_MS, alone.isReady);
    const [counted] = await Promise.all([alone.finish(), well.finish()]);
    const [one = 0, other = 0] = [alone, well].map(
      ({ asked }) => figuresOf(within(asked, stretches)).p99Ms,
    );
    return {
      ...{ servesMs, foundMs, addedP99Ms: Number((one - other).toFixed(1)) },
      whole: figuresOf(alone.asked),
      transitions: await alone.transitions(),
      isCountRight: isSame(counted, saidBy(alone.asked)),
    };
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
