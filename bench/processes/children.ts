/**
 * Every process that the benchmark starts: pinned to a core, its output in a file, ended with the
 * run. Nothing started here outlives the run: `killAll` is synchronous so that it can serve as
 * the last resort of an `exit` handler, and where `setpriv` exists the kernel ends the children
 * of a benchmark that was itself killed.
 *
 * Children get an environment of their own. The caller's is not passed on: an API key in it would
 * change what a subject loads.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SHOWN_OUTPUT_CHARS = 2000;
const REPLY_TIMEOUT_MS = 120_000;

export interface ChildOptions {
  readonly name: string;
  /** Another program than this Node.js. */
  readonly command?: string;
  /** Arguments of this Node.js (flags, the file, its own arguments) or of the command. */
  readonly args: readonly string[];
  readonly core: number | null;
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a message channel; needed for `ask` and `hear`. */
  readonly talks?: boolean;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Whether the process has ended. */
  ended(): boolean;
  /** Sends a message and resolves with the next one received; one question at a time. */
  ask(message: object): Promise<unknown>;
  /** Resolves with the next message; rejects where the process ends first. */
  hear(): Promise<unknown>;
  /** What it has written, from its last lines. */
  output(): string;
  stop(): Promise<void>;
}

export interface Children {
  spawn(options: ChildOptions): Child;
  stopAll(): Promise<void>;
  killAll(): void;
}

/** Whether processes can be bound to cores here. */
export function canPin(): boolean {
  return exists('taskset');
}

/** Binds a running process to a core; the benchmark itself stays off the subject's. */
export function pin(pid: number, core: number): void {
  spawnSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
}

export function createChildren(scratch: string): Children {
  const running = new Map<ChildProcess, Child>();
  const fate = exists('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  let count = 0;
  return {
    spawn(options) {
      count += 1;
      const file = join(scratch, `${count}-${options.name.replaceAll(/\W+/g, '-')}.log`);
      const process = start(options, file, fate);
      const child = wrap(process, options.name, file);
      running.set(process, child);
      process.once('exit', () => running.delete(process));
      return child;
    },
    async stopAll() {
      await Promise.all([...running.values()].map((child) => child.stop()));
    },
    killAll() {
      for (const process of running.keys()) process.kill('SIGKILL');
    },
  };
}

function start(
  { command: program = process.execPath, args, core, env, talks }: ChildOptions,
  file: string,
  fate: readonly string[],
): ChildProcess {
  const output = openSync(file, 'w');
  const place = core === null ? [] : ['taskset', '--cpu-list', String(core)];
  const [command = '', ...rest] = [...place, ...fate, program, ...args];
  try {
    return spawn(command, rest, {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: talks === true ? ['ignore', output, output, 'ipc'] : ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

function exists(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function wrap(process: ChildProcess, name: string, file: string): Child {
  if (process.pid === undefined) throw new Error(`${name} could not be started`);
  const output = () => readFileSync(file, 'utf8').slice(-SHOWN_OUTPUT_CHARS).trim();
  const ended = () => process.exitCode !== null || process.signalCode !== null;
  const hear = () => nextMessage(process, name, output);
  return {
    name,
    pid: process.pid,
    ended,
    hear,
    ask(message) {
      const reply = hear();
      process.send(message);
      return reply;
    },
    output,
    async stop() {
      if (!ended()) {
        const exit = new Promise((resolve) => process.once('exit', resolve));
        // All state of a subject is thrown away with it, so nothing is gained by a graceful end.
        process.kill('SIGKILL');
        await exit;
      }
      rmSync(file, { force: true });
    },
  };
}

function nextMessage(process: ChildProcess, name: string, output: () => string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      leave();
      reject(new Error(`${name} ${what}\n${output()}`.trimEnd()));
    };
    const onMessage = (message: unknown) => {
      leave();
      resolve(message);
    };
    const onExit = () => fail('ended early');
    const timer = setTimeout(() => fail('did not answer'), REPLY_TIMEOUT_MS);
    const leave = () => {
      clearTimeout(timer);
      process.off('message', onMessage);
      process.off('exit', onExit);
    };
    process.once('message', onMessage);
    process.once('exit', onExit);
  });
}
