/** What was measured beside its bars, as a table, and which of them were not met. */
import type { Absent } from './absent.ts';
import type { Bars, Fault } from './faults.ts';
import type { Measured } from './measure.ts';

const SERVES_MS = 10_000;
const ABSENT_ADDED_P99_MS = 50;
/** For each outage: two stores and their breakers say that they are gone and back. */
const LOG_LINES = 8;

export const COLUMNS: readonly string[] = [
  'fault',
  'requests',
  'failed',
  'wrong',
  'first s: p99 added',
  'then: p99 added',
  'at ease',
  'recovered',
  'breaker of the cache',
  'statistics',
  'log lines',
  'bars',
];

export function rowOf(one: Measured, fault: Fault): readonly string[] {
  const { first, rest, calm, whole, recoveredMs } = one;
  const unmet = unmetOf(one, fault.bars);
  return [
    ...[one.fault, String(whole.count), String(whole.failed), String(whole.wrong)],
    ...[first, rest, calm].map(({ addedP99Ms }) => `${addedP99Ms} ms`),
    recoveredMs === null ? 'no' : `${recoveredMs} ms`,
    transitionsIn(one.transitions),
    statistics(one.isCountRight),
    String(one.logLines.length),
    unmet.length === 0 ? 'met' : `not met: ${unmet.join(', ')}`,
  ];
}

/** The names of the bars that were not met. */
function unmetOf(one: Measured, bars: Bars): readonly string[] {
  const { first, rest, whole, wholeOfTheOther, recoveredMs, connections } = one;
  const [before, after] = connections;
  const met = {
    'no failures': whole.failed === 0,
    'no wrong answers': whole.wrong === 0,
    'first second': first.addedP99Ms <= bars.firstAddedP99Ms,
    'added p99': rest.addedP99Ms <= bars.addedP99Ms,
    recovery: recoveredMs !== null && recoveredMs <= bars.recoveredMs,
    breaker: opensAs(bars.opens, one) && one.isClosed,
    statistics: one.isCountRight,
    'log lines': one.logLines.length <= LOG_LINES * bars.outages,
    connections: bars.connections === null || Math.abs(after - before) <= bars.connections,
    'no warnings': !one.logLines.some((line) => line.includes('MaxListeners')),
    'a sound measurement': wholeOfTheOther.failed === 0,
  };
  return Object.entries(met).flatMap(([name, isMet]) => (isMet ? [] : [name]));
}

/** In every turn, or not once from the first to the last. */
function opensAs(expected: boolean | null, { openings, transitions }: Measured): boolean {
  if (expected === null) return true;
  return expected
    ? openings.every((count) => count > 0)
    : (transitions['closed to open'] ?? 0) === 0;
}

export function absentRow(one: Absent): readonly string[] {
  const { servesMs, foundMs, whole, addedP99Ms, isCountRight } = one;
  const met = {
    'no failures': whole.failed === 0,
    'no wrong answers': whole.wrong === 0,
    'added p99': addedP99Ms <= ABSENT_ADDED_P99_MS,
    start: servesMs <= SERVES_MS,
    recovery: foundMs !== null,
    statistics: isCountRight,
  };
  const unmet = Object.entries(met).flatMap(([name, isMet]) => (isMet ? [] : [name]));
  return [
    ...['absent at start', String(whole.count), String(whole.failed), String(whole.wrong)],
    ...['–', `${addedP99Ms} ms`, '–', foundMs === null ? 'no' : `${foundMs} ms`],
    ...[transitionsIn(one.transitions), statistics(isCountRight), '–'],
    `${unmet.length === 0 ? 'met' : `not met: ${unmet.join(', ')}`} (serves in ${servesMs} ms)`,
  ];
}

function transitionsIn(transitions: Readonly<Record<string, number>>): string {
  const words = Object.entries(transitions).map(([change, count]) => `${change} ×${count}`);
  return words.length === 0 ? 'stays closed' : words.join(', ');
}

function statistics(isRight: boolean): string {
  return isRight ? 'right' : 'wrong';
}
