/**
 * From words to a verb: builds the command tree out of the table of verbs in the language that
 * is asked for, runs what was meant, and turns every mistake into one line and an exit code.
 */
import { Command, CommanderError } from 'commander';
import { createInstallation, type InstallationOptions } from '../app/installation.ts';
import { version } from '../app/version.ts';
import type { VerbContext, VerbOptions } from './context.ts';
import { explain } from './explain.ts';
import { type Language, languageOf, MESSAGES, type Messages } from './messages/index.ts';
import type { Terminal } from './terminal.ts';
import type { OptionSpec, Verb } from './verb.ts';
import { COMMON_OPTIONS, LANGUAGE_OPTION, VERBS } from './verbs.ts';

export interface ProgramDeps extends Pick<InstallationOptions, 'sources' | 'clock' | 'random'> {
  readonly terminal: Terminal;
  readonly confirm: (question: string) => Promise<boolean>;
}

interface Setting {
  readonly deps: ProgramDeps;
  readonly language: Language;
  readonly say: Messages;
  exitCode: number;
}

/** Runs one command line; resolves with its exit code and never rejects. */
export async function runProgram(argv: readonly string[], deps: ProgramDeps): Promise<number> {
  const language = languageOf(langOption(argv), deps.terminal.locale);
  const setting: Setting = { deps, language, say: MESSAGES[language], exitCode: 0 };
  const program = buildProgram(setting);
  try {
    if (withoutLanguage(argv).length === 0) program.outputHelp();
    else await program.parseAsync(withDefaultVerb(argv), { from: 'user' });
    return setting.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return refuse(setting, program, error, argv);
    const { message, code, exitCode } = explain(error, setting.say);
    report(setting, argv, message, code);
    return exitCode;
  }
}

function buildProgram(setting: Setting): Command {
  const { say } = setting;
  const program = configured(new Command('esclusa'), setting)
    .description(say.about)
    .version(version(), '-V, --version', say.help.showVersion)
    .helpCommand(false)
    .addHelpText('after', `\n${say.help.more}`);
  addOption(program, LANGUAGE_OPTION, say);
  const groups = new Map<string, Command>();
  for (const [name, verb] of Object.entries(VERBS)) {
    const [first = '', second] = name.split(' ');
    if (second === undefined) {
      addVerb(program, first, name, verb, setting);
      continue;
    }
    let group = groups.get(first);
    if (group === undefined) {
      group = configured(program.command(first), setting)
        .description(say.groups[first as keyof Messages['groups']])
        .summary(groupSummary(first, say))
        .helpCommand(false);
      addOption(group, LANGUAGE_OPTION, say);
      groups.set(first, group);
    }
    addVerb(group, second, name, verb, setting);
  }
  return program;
}

/** What the group is about, and its verbs. */
function groupSummary(group: string, say: Messages): string {
  const verbs = Object.keys(VERBS).flatMap((name) => {
    const [first, second] = name.split(' ');
    return first === group && second !== undefined ? [second] : [];
  });
  return `${say.groups[group as keyof Messages['groups']]}: ${verbs.join(', ')}`;
}

function addVerb(parent: Command, word: string, name: string, verb: Verb, setting: Setting): void {
  const { say } = setting;
  const command = configured(parent.command(word), setting).description(
    say.verbs[name as keyof Messages['verbs']],
  );
  for (const argument of verb.args) command.argument(argument.name, say.arguments[argument.text]);
  for (const option of [...verb.options, ...COMMON_OPTIONS]) addOption(command, option, say);
  const examples = verb.examples.map((example) => `  ${example}`).join('\n');
  command.addHelpText('after', `\n${say.help.examples}\n${examples}`);
  command.action(async () => {
    const { run } = await verb.load();
    const context = contextOf(command, setting);
    setting.exitCode = (await run(context)) ?? 0;
  });
}

function addOption(command: Command, { flags, text }: OptionSpec, say: Messages): void {
  command.option(flags, say.options[text]);
}

function configured(command: Command, { deps, say }: Setting): Command {
  const titles: Readonly<Record<string, string>> = {
    'Usage:': say.help.usage,
    'Arguments:': say.help.arguments,
    'Options:': say.help.options,
    'Commands:': say.help.commands,
  };
  return command
    .exitOverride()
    .helpOption('-h, --help', say.help.showHelp)
    .configureHelp({
      styleTitle: (title) => titles[title] ?? title,
      styleOptionText: (text) => (text === '[options]' ? say.help.anyOptions : text),
      styleSubcommandText: (text) => (text === '[command]' ? say.help.anyCommand : text),
      // All of them have options; a list reads better without saying so.
      subcommandTerm: (sub) =>
        [sub.name(), ...sub.registeredArguments.map((each) => `<${each.name()}>`)].join(' '),
    })
    .configureOutput({
      writeOut: (text) => deps.terminal.write(text),
      // Mistakes are worded by `refuse`; a group without a verb shows its help there.
      writeErr: () => undefined,
    });
}

function contextOf(command: Command, setting: Setting): VerbContext {
  const { deps, say, language } = setting;
  const options: VerbOptions = command.opts();
  const { terminal } = deps;
  const installation = createInstallation({
    ...deps,
    dataDir: textOf(options.dataDir),
    config: textOf(options.config),
    environment: options.production === true ? 'production' : undefined,
    warn: (message) => terminal.writeError(`! ${message}\n`),
  });
  return {
    args: command.args,
    options,
    isJson: options.json === true,
    language,
    say,
    terminal,
    installation,
    nowMs: () => installation.clock.wallMs(),
    confirm: deps.confirm,
  };
}

/** What commander did not understand, in our words. */
function refuse(
  setting: Setting,
  program: Command,
  error: CommanderError,
  argv: readonly string[],
): number {
  if (error.exitCode === 0) return 0;
  const { say } = setting;
  if (error.code === 'commander.help') {
    setting.deps.terminal.writeError(meant(program, argv).helpInformation());
    return 2;
  }
  const what = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const worded: Readonly<Record<string, string>> = {
    'commander.unknownOption': say.usage.unknownOption(what),
    'commander.unknownCommand': say.usage.unknownVerb(what),
    'commander.missingArgument': say.usage.missingArgument(`<${what}>`),
    'commander.optionMissingArgument': say.usage.missingValue(what),
    'commander.excessArguments': say.usage.excessArguments,
  };
  const message = worded[error.code] ?? say.usage.other(error.message);
  const command = meant(program, argv);
  const help = say.usage.seeHelp(pathOf(command));
  const hints = error.code === 'commander.unknownCommand' ? hintsFor(setting, command, error) : [];
  report(setting, argv, [message, ...hints, help].join(' '), 'usage');
  return 2;
}

/** What may have been meant by a verb that there is not. */
function hintsFor({ say }: Setting, group: Command, error: CommanderError): readonly string[] {
  const [, similar] = /\(Did you mean (?:one of )?(.*)\?\)/.exec(error.message) ?? [];
  const [, word = ''] = /'([^']*)'/.exec(error.message) ?? [];
  return [
    ...(similar === undefined ? [] : [say.usage.similar(similar)]),
    ...(defaultVerbOf(group.name()) === null ? [] : [say.usage.bareFolder(word)]),
  ];
}

/** The deepest command that the words name. */
function meant(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of withoutLanguage(argv)) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function report(setting: Setting, argv: readonly string[], message: string, code: string): void {
  const { deps, say } = setting;
  const isJson = argv.includes('--json');
  const line = isJson ? JSON.stringify({ error: { code, message } }) : say.failed(message);
  deps.terminal.writeError(`${line}\n`);
}

/** `backup ./there` is `backup create ./there`; a bare word is a verb, be it misspelt. */
function withDefaultVerb(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word, i) => !word.startsWith('-') && argv[i - 1] !== '--lang');
  const verb = defaultVerbOf(argv[at] ?? '');
  if (verb === null) return argv;
  const [next = '-'] = withoutLanguage(argv.slice(at + 1));
  if (['-h', '--help'].includes(next) || /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u.test(next)) return argv;
  return argv.toSpliced(at + 1, 0, verb);
}

function defaultVerbOf(group: string): string | null {
  const found = Object.entries(VERBS).find(
    ([name, { isDefault }]) => isDefault === true && name.startsWith(`${group} `),
  );
  return found?.[0].split(' ')[1] ?? null;
}

function withoutLanguage(argv: readonly string[]): readonly string[] {
  return argv.filter((word, at) => !/^--lang(=|$)/.test(word) && argv[at - 1] !== '--lang');
}

/** Read before the words are understood, because misunderstandings are worded too. */
function langOption(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='));
  if (at < 0) return undefined;
  return argv[at]?.split('=')[1] ?? argv[at + 1];
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
