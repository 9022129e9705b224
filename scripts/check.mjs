/**
 * `npm run check`: types, lint and format, dead code and the tidy test side by side; a line with
 * the time for each, and the output of those that fail.
 */
import { spawn } from 'node:child_process';
import { root } from '../bin/runtime.mjs';

const keptOutputChars = 64_000;

const tasks = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'] },
  {
    name: 'lint and format',
    args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  },
  { name: 'dead code', args: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'tidy', args: ['scripts/test.mjs', 'server/test/tidy.test.ts'] },
];

/**
 * @param {(typeof tasks)[number]} task
 * @returns {Promise<boolean>}
 */
function runTask({ name, args }) {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString()).slice(-keptOutputChars);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    const finish = (/** @type {boolean} */ isGood) => {
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
      process.stdout.write(`${isGood ? '✔' : '✖'} ${name}  ${seconds} s\n`);
      if (!isGood) process.stdout.write(`${output.trimEnd()}\n\n`);
      resolve(isGood);
    };
    child.once('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.once('close', (code) => finish(code === 0));
  });
}

const results = await Promise.all(tasks.map(runTask));
process.exitCode = results.every(Boolean) ? 0 : 1;
