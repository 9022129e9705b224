/**
 * The command line `esclusa`. It works on the installation's data itself, so that it helps
 * also where no server runs.
 */
import { languageOf, MESSAGES } from './messages/index.ts';
import { runProgram } from './program.ts';
import { systemTerminal } from './terminal.ts';

/** Runs one command line, without the program's own name; resolves with the exit code. */
export function run(argv: readonly string[]): Promise<number> {
  const terminal = systemTerminal((code) => {
    const say = MESSAGES[languageOf(undefined, terminal.locale)];
    process.stderr.write(`${say.failed(say.outputLost(code))}\n`);
    process.exitCode = 1;
  });
  return runProgram(argv, {
    terminal,
    sources: async () => (await import('../config/index.ts')).systemSources(),
    confirm: (question) => (terminal.isInteractive ? ask(question) : Promise.resolve(true)),
  });
}

async function ask(question: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return (await confirm({ message: question, initialValue: false })) === true;
}
