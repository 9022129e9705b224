/**
 * Runs one test file in a process of its own and says how it went.
 *
 * 1. The file leads a process group; when it ends, is cut by its limit or by a signal, whatever it
 *    left running in that group ends with it.
 * 2. A file that ran no test, or ended without its totals, has failed.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {import('./protocol.mjs').Counts} Counts
 * @typedef {import('./protocol.mjs').Entry} Entry
 * @typedef {import('./protocol.mjs').Failure} Failure
 * @typedef {import('./protocol.mjs').Outcome} Outcome
 */

const testTimeoutMs = 120_000;
const fileTimeoutMs = 300_000;
const killGraceMs = 3_000;
const keptOutputChars = 16_000;
const ownsGroup = process.platform !== 'win32';

const reporter = new URL('./reporter.mjs', import.meta.url).href;

/**
 * Runs one file; never rejects. When the signal fires the file is stopped and counts as failed.
 *
 * @param {{ file: string, root: string, scratch: string, flags: readonly string[],
 *   signal: AbortSignal }} options `scratch` is an existing folder for temporary files
 * @returns {Promise<Outcome>}
 */
export async function runFile({ file, root, scratch, flags, signal }) {
  const startedAtMs = performance.now();
  const events = join(scratch, `${file.replaceAll(/[^a-z0-9]/gi, '_')}.jsonl`);
  const node = [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${events}`,
    `--test-timeout=${testTimeoutMs}`,
  ];
  const { output, ...end } = await spawnAndWait([...node, ...flags, file], root, signal);
  const verdict = judge(readEntries(events), end);
  return { file, ms: performance.now() - startedAtMs, output, ...verdict };
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {AbortSignal} signal
 * @returns {Promise<{ stopped: string, ended: string, output: string }>} why the runner stopped it,
 *   and how it ended by itself; empty where it was not stopped, and for exit code 0
 */
function spawnAndWait(args, cwd, signal) {
  const child = spawn(process.execPath, [...args], {
    cwd,
    detached: ownsGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString()).slice(-keptOutputChars);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let stopped = '';
  const stop = (/** @type {string} */ why) => {
    stopped ||= why;
    kill(child, 'SIGTERM');
    setTimeout(() => kill(child, 'SIGKILL'), killGraceMs).unref();
  };
  const limit = setTimeout(
    () => stop(`still running after ${fileTimeoutMs / 1000} s (a handle left open?)`),
    fileTimeoutMs,
  );
  const onAbort = () => stop('interrupted');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return new Promise((resolve) => {
    const finish = (/** @type {string} */ ended) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      resolve({ stopped, ended, output });
    };
    child.once('error', (error) => finish(error.message));
    child.once('exit', () => kill(child, 'SIGKILL'));
    child.once('close', (code, by) => finish(code === 0 ? '' : `ended with ${by ?? code}`));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function kill(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (ownsGroup) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // Nobody is left in the group.
  }
}

/**
 * @param {string} events
 * @returns {Entry[]}
 */
function readEntries(events) {
  try {
    const lines = readFileSync(events, 'utf8').split('\n');
    // A file that was cut may have written half of its last line.
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  } catch {
    return [];
  } finally {
    rmSync(events, { force: true });
  }
}

/**
 * @param {Entry[]} entries
 * @param {{ stopped: string, ended: string }} end
 * @returns {{ counts: Counts, failures: Failure[], diagnostics: string[] }}
 */
function judge(entries, end) {
  const failures = entries.filter((entry) => entry.kind === 'failure');
  const summary = entries.findLast((entry) => entry.kind === 'summary');
  const counts = { ...(summary?.counts ?? noCounts) };
  const complaint = complaintOf(counts, failures.length, end);
  if (complaint !== '') {
    failures.push({ kind: 'failure', title: 'the file as a whole', place: '', message: complaint });
    counts.failed += 1;
    counts.tests += 1;
  }
  const diagnostics = entries.flatMap((entry) =>
    entry.kind === 'diagnostic' ? [entry.message] : [],
  );
  return { counts, failures, diagnostics };
}

/**
 * @param {Counts} counts
 * @param {number} failures
 * @param {{ stopped: string, ended: string }} end
 */
function complaintOf(counts, failures, { stopped, ended }) {
  if (stopped !== '') return stopped;
  // A file with failures ends badly because of them.
  if (ended !== '') return failures === 0 ? ended : '';
  return counts.tests === 0 ? 'ran 0 tests' : '';
}

const noCounts = {
  tests: 0,
  suites: 0,
  passed: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
  todo: 0,
};
