/**
 * The clients of PostgreSQL that are installed here: found, asked for their version, and run
 * with an environment of their own. Passwords are in that environment alone: never among the
 * words of a command, which every account of the machine can read, and never in what is said.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { BackupError } from './failure.ts';

export type ToolName = 'pg_dump' | 'pg_restore' | 'psql';

export interface Tool {
  readonly name: ToolName;
  readonly file: string;
  readonly major: number;
}

/** Where Debian and Ubuntu keep the clients of each version. */
const DEBIAN = '/usr/lib/postgresql';
const VERSION_MS = 10_000;
const SAID_MAX = 8192;
const SUFFIX = process.platform === 'win32' ? '.exe' : '';
const run = promisify(execFile);

/**
 * The one of the server's version, else the next newer. Throws `backup_tool_missing` and
 * `backup_tool_old`.
 */
export async function findTool(
  name: ToolName,
  serverMajor: number,
  searchPath: string,
  packaged = DEBIAN,
): Promise<Tool> {
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...foldersOf(packaged)];
  const files = [...new Set(folders.map((folder) => join(folder, name + SUFFIX)))];
  const found: Tool[] = [];
  for (const file of files.filter((each) => existsSync(each))) {
    const major = await majorOf(file, searchPath);
    if (major !== null) found.push({ name, file, major });
  }
  const fit = found.filter(({ major }) => major >= serverMajor);
  const [nearest] = fit.sort((a, b) => a.major - b.major);
  if (nearest !== undefined) return nearest;
  const version = String(serverMajor);
  if (found.length === 0) throw new BackupError('backup_tool_missing', { tool: name, version });
  const has = String(Math.max(...found.map(({ major }) => major)));
  throw new BackupError('backup_tool_old', { tool: name, has, version });
}

function foldersOf(packaged: string): readonly string[] {
  if (!existsSync(packaged)) return [];
  return readdirSync(packaged).map((version) => join(packaged, version, 'bin'));
}

async function majorOf(file: string, searchPath: string): Promise<number | null> {
  try {
    const options = { timeout: VERSION_MS, env: { PATH: searchPath, LC_ALL: 'C' } };
    const { stdout } = await run(file, ['--version'], options);
    const major = /\) (\d+)/.exec(stdout)?.[1];
    return major === undefined ? null : Number(major);
  } catch {
    return null; // it cannot be run here
  }
}

export interface RunningTool {
  readonly child: ChildProcess;
  /** Resolves when it has ended well. Throws `backup_tool_failed`, `interrupted`. */
  readonly done: Promise<void>;
}

/** Starts it; the signal ends it. */
export function startTool(
  { name, file }: Tool,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): RunningTool {
  const child = spawn(file, words, { env, signal, killSignal: 'SIGTERM', windowsHide: true });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-SAID_MAX);
  });
  child.stdin.on('error', () => undefined); // it ended before it had read all: its code says so
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(failed(name, error.message, signal)));
    child.once('close', (code) => {
      if (code === 0 && !signal.aborted) resolve();
      else reject(failed(name, inShort(said, env) || `it ended with ${code}`, signal));
    });
  });
  done.catch(() => undefined); // whoever waits for it is told
  return { child, done };
}

function failed(tool: ToolName, why: string, { aborted }: AbortSignal): BackupError {
  return aborted
    ? new BackupError('interrupted')
    : new BackupError('backup_tool_failed', { tool, why });
}

/** What it complained of first, without a password whatever it says. */
function inShort(said: string, { PGPASSWORD = '' }: Readonly<Record<string, string>>): string {
  const lines = said.split('\n').filter((line) => /error|fatal|could not|aborting/i.test(line));
  const text = (lines.length > 0 ? lines : said.split('\n')).slice(0, 2).join(' ').trim();
  return PGPASSWORD === '' ? text : text.replaceAll(PGPASSWORD, '[redacted]');
}
