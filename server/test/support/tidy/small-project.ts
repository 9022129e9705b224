/**
 * A project of a few lines for the tests of the rules: the given files, and a program that reaches
 * each of them, so that a test shows the one breach it is about and nothing else.
 */

import { parseProject } from './parse.ts';
import { findBreaches } from './tidy.ts';

export type SmallProject = {
  /** Texts by path; one that begins with no workspace stands below `server/src`. */
  readonly files: Readonly<Record<string, string>>;
  /** Files that the program must not reach by itself. */
  readonly unreached?: readonly string[];
  readonly catalogueNames?: readonly string[];
};

/** The breaches as `path: message`, in the order of the rules. */
export function breachesOf({ files, unreached = [], catalogueNames = [] }: SmallProject): string[] {
  const given = new Map(Object.entries(files).map(([path, text]) => [fullPath(path), text]));
  const hidden = new Set(unreached.map(fullPath));
  const reached = [...given.keys()].filter((path) => isReachable(path) && !hidden.has(path));
  const program = new Map([
    ['server/src/main.ts', `import './app/index.ts';\n`],
    ['server/src/cli/index.ts', reached.filter(isCli).map(importFrom('../')).join('')],
    [
      'server/src/app/index.ts',
      reached
        .filter((path) => !isCli(path))
        .map(importFrom('../'))
        .join(''),
    ],
  ]);
  const project = parseProject(new Map([...program, ...given]));
  return findBreaches({ project, catalogueNames }).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

function fullPath(path: string): string {
  return /^(bench|.+\/(src|test))\//.test(path) ? path : `server/src/${path}`;
}

function isReachable(path: string): boolean {
  return /^(server|contracts)\/src\//.test(path) && !/\/(main|cli\/index)\.ts$/.test(path);
}

function isCli(path: string): boolean {
  return path.startsWith('server/src/cli/');
}

function importFrom(up: string): (path: string) => string {
  return (path) => {
    const target = path.startsWith('contracts/')
      ? '@esclusa/contracts'
      : path.replace('server/src/', up);
    return `import '${target}';\n`;
  };
}
