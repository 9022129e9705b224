/**
 * The stage on which subjects are measured: the upstream and the load generator, which live for
 * the whole run, and where processes go. The subject has core 0 for itself; generator, upstream
 * and the benchmark share core 1, or have one more where the machine has more.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  ClosedLoop,
  ClosedResult,
  Listening,
  LoadCommand,
  LoadResult,
  OpenLoop,
  OpenResult,
  StreamLoop,
  StreamResult,
  UpstreamCommand,
  UpstreamCount,
} from './actors/protocol.ts';
import { type Child, type Children, canPin, createChildren, pin } from './processes/children.ts';

export interface Cores {
  readonly subject: number | null;
  readonly generator: number | null;
  readonly upstream: number | null;
}

export interface Upstream {
  readonly pid: number;
  readonly origin: string;
  count(): Promise<UpstreamCount>;
  configure(streams: { chunks: number; chunkIntervalMs: number }): Promise<void>;
}

export interface Generator {
  closed(command: Omit<ClosedLoop, 'kind'>): Promise<ClosedResult>;
  open(command: Omit<OpenLoop, 'kind'>): Promise<OpenResult>;
  streams(command: Omit<StreamLoop, 'kind'>): Promise<StreamResult>;
}

export interface Stage {
  readonly cores: Cores;
  readonly children: Children;
  readonly upstream: Upstream;
  readonly generator: Generator;
  /** A folder that is removed with the stage. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

const UPSTREAM = fileURLToPath(new URL('./actors/upstream.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('./actors/load.ts', import.meta.url));

export async function openStage(signal: AbortSignal): Promise<Stage> {
  const scratch = mkdtempSync(join(tmpdir(), 'esclusa-bench-'));
  const children = createChildren(scratch);
  const clear = () => rmSync(scratch, { recursive: true, force: true });
  const lastResort = () => {
    children.killAll();
    clear();
  };
  process.on('exit', lastResort);
  const cores = assignCores();
  if (cores.generator !== null) pin(process.pid, cores.generator);
  const load = children.spawn({ name: 'load', args: [LOAD], core: cores.generator, talks: true });
  const upstream = await openUpstream(children, cores.upstream);
  return {
    cores,
    children,
    upstream,
    generator: createGenerator(load, signal),
    scratch,
    signal,
    async close() {
      await children.stopAll();
      clear();
      process.off('exit', lastResort);
    },
  };
}

function assignCores(): Cores {
  const count = availableParallelism();
  if (count < 2 || !canPin()) return { subject: null, generator: null, upstream: null };
  return { subject: 0, generator: 1, upstream: count > 2 ? 2 : 1 };
}

async function openUpstream(children: Children, core: number | null): Promise<Upstream> {
  const child = children.spawn({ name: 'upstream', args: [UPSTREAM], core, talks: true });
  const { port } = (await child.hear()) as Listening;
  const ask = async (command: UpstreamCommand) => (await child.ask(command)) as UpstreamCount;
  return {
    pid: child.pid,
    origin: `http://127.0.0.1:${port}`,
    count: () => ask({ kind: 'count' }),
    async configure(streams) {
      await ask({ kind: 'configure', ...streams });
    },
  };
}

function createGenerator(child: Child, signal: AbortSignal): Generator {
  const run = async (command: LoadCommand): Promise<LoadResult> => {
    signal.throwIfAborted();
    const result = (await child.ask(command)) as LoadResult | { kind: 'failed'; message: string };
    signal.throwIfAborted();
    if (result.kind === 'failed') throw new Error(result.message);
    return result;
  };
  return {
    closed: async (command) => (await run({ kind: 'closed', ...command })) as ClosedResult,
    open: async (command) => (await run({ kind: 'open', ...command })) as OpenResult,
    streams: async (command) => (await run({ kind: 'streams', ...command })) as StreamResult,
  };
}
