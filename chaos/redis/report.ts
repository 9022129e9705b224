/** What was measured beside its bars, as a table, and which of them were not met. */
import type { Absent } from './absent.ts';
import type { Bars, Fault } from './faults.ts';
import type { Measured } from './measure.ts';

const SERVES_MS = 10_000;
/** For each outage: two stores and their breakers say that they are gone and back. */
const LOG_LINES = 8;

export const COLUMNS: readonly string[] = [
  'fault',
  'failed',
  'wrong',
  'base p99',
  'first s p99',
  'then p99',
  'streams p99',
  'recovered',
  'breaker',
  'counted',
  'log lines',
  'bars',
];

export function rowOf(one: Measured, fault: Fault): readonly string[] {
  const { base, first, rest, whole, recoveredMs, opened, closed, counted, answered } = one;
  const unmet = unmetOf(one, fault.bars);
  return [
    one.fault,
    `${whole.failed} of ${whole.count}`,
    String(whole.wrong),
    `${base.p99Ms} ms`,
    `${first.p99Ms} ms`,
    `${rest.p99Ms} ms`,
    `${Math.max(first.streamP99Ms, rest.streamP99Ms)} ms`,
    recoveredMs === null ? 'no' : `${recoveredMs} ms`,
    opened ? (closed ? 'opened, closed' : 'opened') : 'closed',
    counted === answered ? 'right' : `${counted} of ${answered}`,
    String(one.logLines.length),
    unmet.length === 0 ? 'met' : `not met: ${unmet.join(', ')}`,
  ];
}

/** The names of the bars that were not met. */
function unmetOf(one: Measured, bars: Bars): readonly string[] {
  const { base, first, rest, whole, recoveredMs, opened, closed, connections } = one;
  const [before, after] = connections;
  const met = {
    'no failures': whole.failed === 0,
    'no wrong answers': whole.wrong === 0,
    'first second': first.p99Ms <= bars.firstP99Ms,
    'added p99': rest.p99Ms <= base.p99Ms + bars.addedP99Ms,
    recovery: recoveredMs !== null && recoveredMs <= bars.recoveredMs,
    breaker: opened === bars.opens && closed,
    statistics: one.counted === one.answered,
    'log lines': one.logLines.length <= LOG_LINES * bars.outages,
    connections: bars.connections === null || Math.abs(after - before) <= bars.connections,
    'no warnings': !one.logLines.some((line) => line.includes('MaxListeners')),
  };
  return Object.entries(met).flatMap(([name, isMet]) => (isMet ? [] : [name]));
}

export function absentRow({ servesMs, foundMs, whole }: Absent): readonly string[] {
  const isMet = servesMs <= SERVES_MS && foundMs !== null && whole.failed === 0;
  return [
    ...['absent at start', `${whole.failed} of ${whole.count}`, String(whole.wrong)],
    ...['–', '–', `${whole.p99Ms} ms`, `${whole.streamP99Ms} ms`],
    ...[foundMs === null ? 'no' : `${foundMs} ms`, '–', '–', '–'],
    isMet ? `met (serves in ${servesMs} ms)` : `not met (serves in ${servesMs} ms)`,
  ];
}
