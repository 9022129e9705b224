/**
 * `--profile <variant>`: where the CPU time of a subject goes. The subject is warmed up, then
 * sampled by V8's own profiler over the inspector for one window at saturation. Prints the
 * functions with the most self time, grouped by file, and the CPU time of each thread, because
 * the profiler sees the main thread alone. Sampling costs time itself: the shares are worth more
 * than the absolute figures.
 */
import { fileURLToPath } from 'node:url';
import { readThreads } from './measure/proc.ts';
import { freePort } from './processes/wait.ts';
import { type Inspector, openInspector } from './profile/inspector.ts';
import { type CpuProfile, heaviest, type SelfTime } from './profile/self-time.ts';
import { number, percent } from './report/format.ts';
import { alignedTable } from './report/table.ts';
import { prepareTarget } from './scenarios/calls.ts';
import type { Pace, Table } from './scenarios/scenario.ts';
import type { Stage } from './stage.ts';
import type { VariantId } from './subjects/subject.ts';
import { variants } from './subjects/variants.ts';

interface ThreadTime {
  readonly name: string;
  readonly cpuMs: number;
}

const TOP = 25;
const CONNECTIONS = 64;
const SAMPLING_INTERVAL_US = 200;
const REPOSITORY = new URL('..', import.meta.url);

/** Returns the tables as text. */
export async function profileVariant(stage: Stage, pace: Pace, id: VariantId): Promise<string> {
  const port = await freePort();
  const subject = await variants[id].start(withInspector(stage, port));
  try {
    const { pid } = subject;
    if (pid === null) throw new Error(`${id} has no process to profile`);
    const target = await prepareTarget(subject, 'plain');
    const watched = { subject: pid, upstream: stage.upstream.pid };
    const load = (durationMs: number) =>
      stage.generator.closed({ target, watched, connections: CONNECTIONS, durationMs });
    await load(pace.warmMs);
    const inspector = await openInspector(port);
    const before = readThreads(pid);
    const { profile, result } = await sample(inspector, () => load(pace.windowMs));
    const threads = threadTimes(before, readThreads(pid));
    if (result.errors > 0) throw new Error(`calls went wrong: ${result.firstError}`);
    return [
      `${variants[id].label}: ${result.done} calls in ${number(result.load.windowMs, 0)} ms`,
      alignedTable(threadTable(threads, result.done)),
      alignedTable(functionTable(heaviest(profile, TOP), result.done)),
      '',
    ].join('\n\n');
  } finally {
    await subject.stop();
  }
}

/** The same stage, where the next subject is started with a debugger on this port. */
function withInspector(stage: Stage, port: number): Stage {
  const { children } = stage;
  const flag = `--inspect=127.0.0.1:${port}`;
  return {
    ...stage,
    children: {
      ...children,
      // What a subject needs beside it (a Redis) is no program of ours.
      spawn: (options) =>
        options.command === undefined
          ? children.spawn({ ...options, args: [flag, ...options.args] })
          : children.spawn(options),
    },
  };
}

async function sample<Result>(inspector: Inspector, work: () => Promise<Result>) {
  await inspector.send('Profiler.enable');
  await inspector.send('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  await inspector.send('Profiler.start');
  const result = await work();
  const { profile } = (await inspector.send('Profiler.stop')) as { profile: CpuProfile };
  inspector.close();
  return { profile, result };
}

function threadTimes(
  before: ReadonlyMap<number, ThreadTime>,
  after: ReadonlyMap<number, ThreadTime>,
): readonly ThreadTime[] {
  const times = [...after].map(([tid, { name, cpuMs }]) => ({
    name,
    cpuMs: cpuMs - (before.get(tid)?.cpuMs ?? 0),
  }));
  return times.filter(({ cpuMs }) => cpuMs > 0).toSorted((a, b) => b.cpuMs - a.cpuMs);
}

function threadTable(threads: readonly ThreadTime[], calls: number): Table {
  return {
    columns: ['thread', 'CPU ms', 'µs/call'],
    rows: threads.map(({ name, cpuMs }) => [
      name,
      number(cpuMs, 0),
      number((cpuMs * 1000) / calls, 1),
    ]),
  };
}

function functionTable({ busyUs, files }: SelfTime, calls: number): Table {
  const cells = (selfUs: number) => [percent(selfUs / busyUs), number(selfUs / calls, 2)];
  return {
    columns: [`heaviest ${TOP} functions by file`, 'self', 'µs/call'],
    rows: files.flatMap(({ file, selfUs, functions }) => [
      [shortened(file), ...cells(selfUs)],
      ...functions.map((one) => [
        `    ${one.line === 0 ? one.name : `${one.name}:${one.line}`}`,
        ...cells(one.selfUs),
      ]),
    ]),
  };
}

function shortened(url: string): string {
  if (!url.startsWith('file:')) return url;
  return fileURLToPath(url).replace(fileURLToPath(REPOSITORY), '');
}
