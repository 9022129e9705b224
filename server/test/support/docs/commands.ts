/**
 * What documents tell people to type, and the files they name: found in code only, so that
 * plain words never count as commands.
 */
import { fencesOf, type Page, spansOf } from './markdown.ts';

/** A verb of the command line with the long options it takes: `keys create` → `--tenant` … */
export type VerbTable = ReadonlyMap<string, ReadonlySet<string>>;

const SHELL = /^(sh|bash|console)$/;
const WORDS_OF_EVERY_VERB = new Set(['--help', '--version']);

/** The lines a reader would type, in order: prompts, comments and answers are left out. */
export function typedLines(text: string): readonly string[] {
  return fencesOf(text)
    .filter(({ language }) => SHELL.test(language))
    .flatMap(({ language, lines }) => (language === 'console' ? afterPrompt(lines) : lines))
    .map((line) => line.replace(/(^|\s+)#\s.*$/, '').trimEnd())
    .filter((line) => line !== '');
}

/** npm scripts that a page names and the project does not have. */
export function unknownScripts(page: Page, scripts: ReadonlySet<string>): readonly string[] {
  return codeLines(page.text).flatMap((line) =>
    [...line.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
      .map(([, run, short]) => run ?? short ?? '')
      .filter((name) => !scripts.has(name))
      .map((name) => `${page.path}: npm run ${name}`),
  );
}

/** Verbs of `esclusa`, and their options, that a page names and the command line does not have. */
export function unknownVerbs(page: Page, verbs: VerbTable): readonly string[] {
  return codeLines(page.text).flatMap((line) =>
    [...line.matchAll(/(?:^|\s)esclusa (-?[a-z][^;|&>]*|--[^;|&>]*)/g)]
      .filter(([, words = '']) => !isKnown(words.trim().split(/\s+/), verbs))
      .map(([, words = '']) => `${page.path}: esclusa ${words.trim()}`),
  );
}

function isKnown(words: readonly string[], verbs: VerbTable): boolean {
  const [first = '', second = ''] = words;
  const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
  const options = verbs.get(`${first} ${second}`) ?? verbs.get(first);
  const isGroup = [...verbs.keys()].some((verb) => verb.startsWith(`${first} `));
  if (options === undefined && !(first.startsWith('-') || (isGroup && second === ''))) return false;
  return flags.every((flag = '') => WORDS_OF_EVERY_VERB.has(flag) || options?.has(flag));
}

const ROOTS = /^(server|contracts|scripts|bin|bench|docs)\/[\w./-]+$/;

/** Files and folders of the project that a page names and that are not there. */
export function missingPaths(page: Page, exists: (path: string) => boolean): readonly string[] {
  return spansOf(page.text)
    .filter((span) => ROOTS.test(span) && !exists(span))
    .map((span) => `${page.path}: ${span}`);
}

function codeLines(text: string): readonly string[] {
  return [...fencesOf(text).flatMap(({ lines }) => lines), ...spansOf(text)];
}

/** What follows each `$ `, with the lines a trailing backslash continues it by. */
function afterPrompt(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line, i) => {
    if (line.startsWith('$ ')) return [line.slice(2)];
    let start = i;
    while (start > 0 && lines[start - 1]?.endsWith('\\')) start -= 1;
    return start < i && lines[start]?.startsWith('$ ') ? [line.trim()] : [];
  });
}
