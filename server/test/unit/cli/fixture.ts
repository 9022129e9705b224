/**
 * The command line over a real data folder of its own, with a terminal that remembers.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { type Environment, systemFiles } from '../../../src/config/index.ts';
import { systemClock } from '../../../src/kernel/clock.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 18, 30, 0);

export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandLine {
  readonly folder: string;
  /** Variables of the environment, besides the data folder. */
  env: Environment;
  locale: string;
  /** What a person answers when asked; null where nobody is there. */
  answer: boolean | null;
  /** What was asked. */
  readonly questions: string[];
  run(...argv: readonly string[]): Promise<Outcome>;
  /** Runs with `--json` and reads the answer. */
  json<T>(...argv: readonly string[]): Promise<T>;
  remove(): Promise<void>;
}

export async function createCommandLine(): Promise<CommandLine> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-cli-'));
  const line: CommandLine = {
    folder,
    env: {},
    locale: 'en-GB',
    answer: null,
    questions: [],
    async run(...argv) {
      let out = '';
      let err = '';
      const terminal: Terminal = {
        write: (text) => {
          out += text;
        },
        writeError: (text) => {
          err += text;
        },
        style: (_style, text) => text,
        isInteractive: line.answer !== null,
        locale: line.locale,
      };
      const env = {
        ESCLUSA_DATA_DIR: join(folder, 'data'),
        ESCLUSA_CONFIG: '',
        ...line.env,
      };
      const exitCode = await runProgram(argv, {
        terminal,
        sources: async () => ({ env, files: systemFiles }),
        clock: { ...systemClock, wallMs: () => NOW_MS },
        confirm: async (question) => {
          line.questions.push(question);
          return line.answer ?? true;
        },
      });
      return { exitCode, out, err };
    },
    async json(...argv) {
      const { exitCode, out, err } = await line.run(...argv, '--json');
      if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${err}${out}`);
      return JSON.parse(out);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  return line;
}
