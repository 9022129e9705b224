/** Self time by function and by file, from a CPU profile as V8 writes it. Pure. */

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** Counted from 0. */
  readonly lineNumber: number;
}

export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface FunctionTime {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly selfUs: number;
}

export interface FileTime {
  readonly file: string;
  /** Of all its functions, also of those not listed. */
  readonly selfUs: number;
  readonly functions: readonly FunctionTime[];
}

export interface SelfTime {
  /** Time that was sampled while the thread was not idle. */
  readonly busyUs: number;
  /** Files with a function among the heaviest, heaviest file first. */
  readonly files: readonly FileTime[];
}

const IDLE = new Set(['(idle)', '(root)']);
const ENGINE = '(engine)';

/** Returns the `top` functions with the most self time, grouped by file. */
export function heaviest(profile: CpuProfile, top: number): SelfTime {
  const functions = timeByFunction(profile);
  const byFile = Map.groupBy(functions, ({ file }) => file);
  const listed = new Set(functions.toSorted(bySelfTime).slice(0, top));
  const files = [...byFile].map(([file, all]) => ({
    file,
    selfUs: sum(all),
    functions: all.filter((one) => listed.has(one)).toSorted(bySelfTime),
  }));
  return {
    busyUs: sum(functions),
    files: files.filter((file) => file.functions.length > 0).toSorted(bySelfTime),
  };
}

function timeByFunction({ nodes, samples, timeDeltas }: CpuProfile): readonly FunctionTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, FunctionTime>();
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || IDLE.has(frame.functionName)) continue;
    const key = `${frame.url}:${frame.lineNumber}:${frame.functionName}`;
    const known = times.get(key);
    const delta = timeDeltas[index] ?? 0;
    times.set(key, {
      name: frame.functionName === '' ? '(anonymous)' : frame.functionName,
      file: frame.url === '' ? ENGINE : frame.url,
      line: frame.lineNumber + 1,
      selfUs: (known?.selfUs ?? 0) + delta,
    });
  }
  return [...times.values()];
}

function bySelfTime(a: { readonly selfUs: number }, b: { readonly selfUs: number }): number {
  return b.selfUs - a.selfUs;
}

function sum(functions: readonly FunctionTime[]): number {
  return functions.reduce((total, { selfUs }) => total + selfUs, 0);
}
