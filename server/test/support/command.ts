/**
 * The command line as a process of its own, with an environment of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));

export interface Said {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

export type CommandEnv = Readonly<Record<string, string>>;

/** Nothing of this process's environment reaches it but where programs are found. */
export function startCommand(words: readonly string[], env: CommandEnv): ChildProcess {
  return spawn(process.execPath, [COMMAND, ...words], {
    env: { PATH: process.env.PATH ?? '', ESCLUSA_CONFIG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export async function runCommand(words: readonly string[], env: CommandEnv): Promise<Said> {
  const child = startCommand(words, env);
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, out, err };
}

/** Runs with `--json`; answers what it says, or what it says went wrong. */
export async function jsonOf(words: readonly string[], env: CommandEnv) {
  const { exitCode, out, err } = await runCommand([...words, '--json'], env);
  const text = out === '' ? err : out;
  const body: ReturnType<typeof JSON.parse> = JSON.parse(text);
  return { exitCode, body, code: body?.error?.code ?? null, text: out + err };
}
