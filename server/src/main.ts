/**
 * The program's entry: the words of the command line in, the exit code out. Start, signals and
 * everything else are the command line's verbs.
 */
import { run } from './cli/index.ts';

const exitCode = await run(process.argv.slice(2));
// Output that was lost meanwhile has said so already.
process.exitCode ||= exitCode;
