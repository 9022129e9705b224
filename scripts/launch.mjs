/**
 * What every npm script starts with: dependencies in place, then the target under a Node.js that
 * is new enough. Plain JavaScript that Node 18 can read.
 *
 * The decision is made here and not by chaining commands in package.json: a shell remembers
 * where it found `node`, so a runtime that the first command installed would not serve the second.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findRuntime, root, runsHere, runtimeAdvice, runUnder } from '../bin/runtime.mjs';
import { ensureInstalled } from './install.mjs';

/** @type {Readonly<Record<string, { file: string, args?: string[], ownProcess?: boolean }>>} */
const targets = {
  start: { file: 'bin/esclusa.mjs', args: ['start'] },
  preflight: { file: 'bin/esclusa.mjs', args: ['doctor', '--production'] },
  test: { file: 'scripts/test.mjs' },
  check: { file: 'scripts/check.mjs' },
  format: { file: 'node_modules/@biomejs/biome/bin/biome', args: ['check', '--write', '.'] },
  // Measured without anything that the launcher loaded.
  'image:check': { file: 'scripts/image-check.mjs' },
  chaos: { file: 'chaos/run.ts', ownProcess: true },
  bench: { file: 'bench/run.ts', ownProcess: true },
};

/** @returns {Promise<number | undefined>} an exit code; none where the target sets its own */
async function launch() {
  const [name = '', ...extra] = process.argv.slice(2);
  const target = targets[name];
  if (target === undefined) {
    process.stderr.write(`Usage: node scripts/launch.mjs <${Object.keys(targets).join('|')}>\n`);
    return 2;
  }
  const installed = await ensureInstalled();
  if (installed !== 0) return installed;
  const runtime = findRuntime();
  if (runtime === undefined) {
    process.stderr.write(runtimeAdvice);
    return 1;
  }
  const file = join(root, target.file);
  const args = [...(target.args ?? []), ...extra];
  if (!runsHere || target.ownProcess) return runUnder(runtime, [file, ...args]);
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
  return undefined;
}

const code = await launch();
if (code !== undefined) process.exitCode = code;
