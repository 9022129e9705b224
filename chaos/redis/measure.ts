/**
 * One fault: two gateways alike, each over a Redis of its own, under the same load at the same
 * time. What becomes of the one's Redis is put and healed by turns; the other's is well. Their
 * difference is the fault's, whatever else the machine does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Owner } from '../../server/test/support/afterwards.ts';
import { startRedis } from '../../server/test/support/redis-server.ts';
import { startTcpProxy } from '../../server/test/support/tcp-proxy.ts';
import { type Figures, figuresOf, type Stretch, within } from '../stretches.ts';
import type { Fault, Place } from './faults.ts';
import { type Counts, isSame, type Subject, saidBy, startSubject, waitFor } from './subject.ts';

export interface Measured {
  readonly fault: string;
  readonly what: string;
  /** In the first second of each time, and behind it, and in between. */
  readonly first: Compared;
  readonly rest: Compared;
  readonly calm: Compared;
  readonly whole: Figures;
  readonly wholeOfTheOther: Figures;
  /** The first of each. */
  readonly failures: readonly string[];
  /** The longest time from a healing until the gateway says that it is ready; null: too long. */
  readonly recoveredMs: number | null;
  readonly transitions: Readonly<Record<string, number>>;
  /** In each turn, from the fault until its healing: how often that breaker opened. */
  readonly openings: readonly number[];
  readonly isClosed: boolean;
  readonly counted: Counts;
  readonly answered: Counts;
  readonly isCountRight: boolean;
  /** From the first fault on, above `debug`. */
  readonly logLines: readonly string[];
  /** Connections to Redis before the faults and after them. */
  readonly connections: readonly [number, number];
}

/** The same stretches of both. */
export interface Compared {
  readonly faulty: Figures;
  readonly well: Figures;
  /** The p99 of the one less that of the other. */
  readonly addedP99Ms: number;
}

const WARM_MS = 1500;
const CALM_MS = 2000;
const FIRST_MS = 1000;
const LATE_MS = 20_000;
const MOST_FAILURES = 10;

export async function measureFault(fault: Fault): Promise<Measured> {
  const ends: (() => Promise<void>)[] = [];
  const owner: Owner = { after: (end) => void ends.push(end) };
  try {
    const [redis, other] = await Promise.all([
      startRedis(owner, { maxmemoryPolicy: 'noeviction' }),
      startRedis(owner, { maxmemoryPolicy: 'noeviction' }),
    ]);
    const wires = await Promise.all([startTcpProxy(redis.port), startTcpProxy(other.port)]);
    ends.push(async () => void (await Promise.all(wires.map((wire) => wire.close()))));
    const pair: Subject[] = [];
    ends.push(async () => void (await Promise.all(pair.map((one) => one.end()))));
    for (const { port } of wires) pair.push(await startSubject(port));
    const [faulty, well] = pair as [Subject, Subject];
    return await measureOn(fault, { redis, wire: wires[0] }, faulty, well);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

async function measureOn(
  fault: Fault,
  place: Place,
  faulty: Subject,
  well: Subject,
): Promise<Measured> {
  for (const one of [faulty, well]) await waitFor(LATE_MS, one.isReady);
  await pause(WARM_MS);
  const before = await connectionsTo(place);
  const calm: Stretch[] = [await stretch(CALM_MS)];
  const said = faulty.logLines().length;
  const faults: Stretch[] = [];
  const recoveries: (number | null)[] = [];
  const openings: number[] = [];
  for (let round = 0; round < fault.rounds; round += 1) {
    const openedBefore = await openingsOf(faulty);
    faults.push(await keepUp(fault, place));
    openings.push((await openingsOf(faulty)) - openedBefore);
    await fault.heal(place);
    recoveries.push(await waitFor(LATE_MS, faulty.isReady));
    calm.push(await stretch(CALM_MS));
  }

  const [counted] = await Promise.all([faulty.finish(), well.finish()]);
  const answered = saidBy(faulty.asked);
  const compare = (stretches: readonly Stretch[]) => compared(faulty, well, stretches);
  return {
    fault: fault.name,
    what: fault.what,
    first: compare(faults.map(({ fromMs }) => ({ fromMs, toMs: fromMs + FIRST_MS }))),
    rest: compare(faults.map(({ fromMs, toMs }) => ({ fromMs: fromMs + FIRST_MS, toMs }))),
    calm: compare(calm),
    whole: figuresOf(faulty.asked),
    wholeOfTheOther: figuresOf(well.asked),
    failures: failuresOf(faulty),
    recoveredMs: slowest(recoveries),
    transitions: await faulty.transitions(),
    openings,
    isClosed: (await faulty.breakerState()) === 'closed',
    ...{ counted, answered, isCountRight: isSame(counted, answered) },
    logLines: faulty.logLines().slice(said),
    connections: [before, await connectionsTo(place)],
  };
}

function compared(faulty: Subject, well: Subject, stretches: readonly Stretch[]): Compared {
  const [one, other] = [faulty, well].map(({ asked }) => figuresOf(within(asked, stretches))) as [
    Figures,
    Figures,
  ];
  return { faulty: one, well: other, addedP99Ms: Number((one.p99Ms - other.p99Ms).toFixed(1)) };
}

function failuresOf({ asked }: Subject): readonly string[] {
  const told = asked.flatMap(({ failure }) => failure ?? []);
  return [...new Set(told)].slice(0, MOST_FAILURES);
}

/** null where one was too slow. */
function slowest(recoveries: readonly (number | null)[]): number | null {
  return recoveries.reduce((most, each) =>
    most === null || each === null ? null : Math.max(most, each),
  );
}

async function stretch(durationMs: number): Promise<Stretch> {
  const fromMs = performance.now();
  await pause(durationMs);
  return { fromMs, toMs: performance.now() };
}

async function keepUp(fault: Fault, place: Place): Promise<Stretch> {
  const over = new AbortController();
  const putting = fault.put(place, over.signal);
  const lasted = await stretch(fault.lastsMs);
  over.abort();
  await putting;
  return lasted;
}

async function openingsOf({ transitions }: Subject): Promise<number> {
  return (await transitions())['closed to open'] ?? 0;
}

async function connectionsTo({ redis }: Place): Promise<number> {
  const list = await redis.cli('client', 'list');
  return list.split('\n').filter((line) => line.includes('name=esclusa')).length;
}
