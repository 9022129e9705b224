/**
 * `npm test`: finds every test file of the workspaces, runs each in its own process, prints a line
 * per file, what failed, and the totals; the last line is `N passed, N failed, N skipped`.
 *
 * Redis and PostgreSQL are installed first where they are missing and that can be done.
 *
 * Words after `--` choose files by a part of their path (`npm test -- breaker`), flags go to Node
 * (`npm test -- --test-name-pattern=half-open`). Finding no file is a failure.
 */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../bin/runtime.mjs';
import { runFile } from './test/run-file.mjs';
import { ensureServers } from './test/servers.mjs';

/** @typedef {import('./test/protocol.mjs').Outcome} Outcome */

const patterns = ['contracts/test/**/*.test.ts', 'server/test/**/*.test.ts'];
const filesAtOnce = 2;
const outputShownLines = 40;

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('-'));
const words = args.filter((arg) => !arg.startsWith('-'));

/** @param {readonly string[]} files */
async function runAll(files) {
  const scratch = mkdtempSync(join(tmpdir(), 'esclusa-test-'));
  const stopping = new AbortController();
  const stop = (/** @type {NodeJS.Signals} */ signal) => stopping.abort(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  // The reader of the output left (`npm test | head`): what runs must still be ended.
  process.stdout.on('error', () => stop('SIGPIPE'));
  const { signal } = stopping;
  const queue = [...files];
  /** @type {Outcome[]} */
  const outcomes = [];
  const work = async () => {
    for (let file = queue.shift(); file && !signal.aborted; file = queue.shift()) {
      const outcome = await runFile({ file, root, scratch, flags, signal });
      outcomes.push(outcome);
      printFile(outcome);
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, work));
  rmSync(scratch, { recursive: true, force: true });
  /** @type {NodeJS.Signals | undefined} */
  const stoppedBy = signal.reason;
  return { outcomes, stoppedBy: signal.aborted ? stoppedBy : undefined };
}

/** @param {Outcome} outcome */
function printFile({ file, ms, counts, failures, diagnostics, output }) {
  const isGood = failures.length === 0;
  const tests = counts.tests === 1 ? '1 test' : `${counts.tests} tests`;
  const failed = isGood ? '' : `, ${counts.failed + counts.cancelled} failed`;
  const skipped =
    counts.skipped + counts.todo === 0 ? '' : `, ${counts.skipped + counts.todo} skipped`;
  say(`${isGood ? '✔' : '✖'} ${file}  ${tests}${failed}${skipped}  ${seconds(ms)}`);
  for (const line of diagnostics) say(`  ℹ ${line}`);
  for (const failure of failures) printFailure(failure);
  if (isGood || output === '') return;
  say('  output:');
  say(indent(output.trimEnd().split('\n').slice(-outputShownLines).join('\n')));
}

/** @param {import('./test/protocol.mjs').Failure} failure */
function printFailure({ title, place, message }) {
  say(`  ✖ ${title}${place === '' ? '' : `  (${place})`}`);
  say(indent(message));
}

/**
 * @param {readonly Outcome[]} outcomes
 * @param {number} ms
 * @returns {boolean} whether nothing failed
 */
function printTotals(outcomes, ms) {
  const sum = (/** @type {keyof Outcome['counts']} */ name) =>
    outcomes.reduce((total, { counts }) => total + counts[name], 0);
  const bad = outcomes.filter(({ failures }) => failures.length > 0);
  if (bad.length > 0) say('\nFailed:');
  for (const { file, failures } of bad) {
    for (const { title } of failures) say(`  ✖ ${file}: ${title}`);
  }
  say('');
  for (const name of /** @type {const} */ (['tests', 'suites'])) say(`ℹ ${name} ${sum(name)}`);
  say(`ℹ pass ${sum('passed')}`);
  say(`ℹ fail ${sum('failed')}`);
  for (const name of /** @type {const} */ (['cancelled', 'skipped', 'todo'])) {
    say(`ℹ ${name} ${sum(name)}`);
  }
  say(`ℹ duration_ms ${Math.round(ms)}`);
  const failed = sum('failed') + sum('cancelled');
  say(`${sum('passed')} passed, ${failed} failed, ${sum('skipped') + sum('todo')} skipped`);
  return bad.length === 0 && failed === 0;
}

/** @param {string} text */
function indent(text) {
  return text.replaceAll(/^(?=.)/gm, '    ');
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

async function main() {
  const startedAtMs = performance.now();
  const found = globSync(patterns, { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  const chosen = found
    .toSorted()
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (chosen.length === 0) {
    say(`No test file found for ${words.join(' ') || patterns.join(' ')}`);
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  if (!ensureServers(say)) {
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  const { outcomes, stoppedBy } = await runAll(chosen);
  const isGood = printTotals(outcomes, performance.now() - startedAtMs);
  if (stoppedBy !== undefined) return 128 + constants.signals[stoppedBy];
  return isGood && outcomes.length === chosen.length ? 0 : 1;
}

process.exitCode = await main();
