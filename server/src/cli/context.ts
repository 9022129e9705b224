/**
 * What a verb is given: its words, the language, the terminal, and ways to open the data. Only
 * `index.ts` knows the real ones; tests give their own.
 */
import type { Installation } from '../app/installation.ts';
import { CliFailure } from './failure.ts';
import type { Language, Messages } from './messages/index.ts';
import type { Terminal } from './terminal.ts';

export interface VerbContext {
  /** In the order of the verb's arguments. */
  readonly args: readonly string[];
  readonly options: VerbOptions;
  readonly isJson: boolean;
  readonly language: Language;
  readonly say: Messages;
  readonly terminal: Terminal;
  readonly installation: Installation;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Asks a person; true without asking where nobody is there to be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** By the camel-case name of the flag. */
export type VerbOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Resolves with the exit code; nothing means 0. */
export type VerbAction = (context: VerbContext) => Promise<number | undefined>;

export function writeJson(context: VerbContext, value: unknown): void {
  context.terminal.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function writeLine(context: VerbContext, text: string): void {
  context.terminal.write(`${text}\n`);
}

export function textOption(context: VerbContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A whole number within bounds; `fallback` where the option was not given. */
export function numberOption(
  context: VerbContext,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw badOption(context, name, context.say.usage.badNumber(bounds.min, bounds.max));
}

export function badOption(context: VerbContext, name: string, why: string): CliFailure {
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return new CliFailure(context.say.usage.badValue(flag, why), { exitCode: 2 });
}
