/**
 * What the operating system says about a process and everything it started: CPU time of all
 * threads, resident memory. Linux only (`/proc`). Reads are synchronous and take some ten
 * microseconds, so that a reading can sit exactly at the edge of a measured window.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** `/proc` counts CPU time in ticks of 1/100 s on every Linux that Node.js runs on. */
const MS_PER_TICK = 10;
const UTIME = 11;
const STIME = 12;

export interface ProcessReading {
  /** User and system time of all threads since the process began. */
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
}

/** Reads a process and its descendants, summed. Throws where the process is gone. */
export function readProcess(pid: number): ProcessReading {
  const own = readOne(pid);
  return childrenOf(pid).reduce<ProcessReading>((sum, child) => add(sum, child), own);
}

/** CPU time of each thread of a process by thread name, for a profile that sees one thread only. */
export function readThreads(pid: number): ReadonlyMap<number, { name: string; cpuMs: number }> {
  const threads = new Map<number, { name: string; cpuMs: number }>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    threads.set(Number(tid), { name: nameIn(stat), cpuMs: cpuMsIn(stat) });
  }
  return threads;
}

function add(sum: ProcessReading, child: number): ProcessReading {
  try {
    const { cpuMs, rssMb, peakRssMb } = readProcess(child);
    return {
      cpuMs: sum.cpuMs + cpuMs,
      rssMb: sum.rssMb + rssMb,
      peakRssMb: sum.peakRssMb + peakRssMb,
    };
  } catch {
    // It ended between the listing and the reading.
    return sum;
  }
}

function readOne(pid: number): ProcessReading {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return {
    cpuMs: cpuMsIn(readFileSync(`/proc/${pid}/stat`, 'latin1')),
    rssMb: megabytesIn(status, 'VmRSS'),
    peakRssMb: megabytesIn(status, 'VmHWM'),
  };
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    try {
      const list = readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').trim();
      return list === '' ? [] : list.split(' ').map(Number);
    } catch {
      return [];
    }
  });
}

/** The second field is the name in parentheses and may itself hold spaces and parentheses. */
function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) * MS_PER_TICK;
}

function nameIn(stat: string): string {
  return stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
}

function megabytesIn(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(match?.[1] ?? 0) / 1024;
}
