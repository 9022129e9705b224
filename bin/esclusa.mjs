#!/usr/bin/env node
/**
 * The command `esclusa`: finds a Node.js that is new enough, then hands over to the TypeScript.
 * Plain JavaScript, because an old Node cannot even load a `.ts` file.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  findRuntime,
  restartWith,
  root,
  runsHere,
  runtimeAdvice,
  runUnder,
  serverFlags,
  wantsServerFlags,
} from './runtime.mjs';

const args = process.argv.slice(2);
const runtime = findRuntime();

if (!existsSync(join(root, 'node_modules'))) {
  process.stderr.write('The dependencies are not installed: run `npm start` or `npm ci` once.\n');
  process.exitCode = 1;
} else if (runsHere && wantsServerFlags(args)) {
  restartWith(serverFlags, fileURLToPath(import.meta.url), args);
} else if (runsHere) {
  // Compiled code is kept between starts; where the folder cannot be written nothing is.
  const cache = join(root, 'node_modules', '.cache', 'esclusa');
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? cache);
  await import('../server/src/main.ts');
} else if (runtime === undefined) {
  process.stderr.write(runtimeAdvice);
  process.exitCode = 1;
} else {
  process.exitCode = await runUnder(runtime, [fileURLToPath(import.meta.url), ...args]);
}
