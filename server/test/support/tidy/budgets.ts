/** Sizes: files, stages, functions and lines. Folders named `generated` are exempt. */

import { type Breach, isTestCode, type Project, type SourceFacts } from './facts.ts';
import {
  FILE_LINES_MAX,
  FILE_LINES_SOFT,
  FUNCTION_LINES_MAX,
  LINE_COLUMNS_MAX,
  STAGE_LINES_MAX,
  TEST_FILE_LINES_MAX,
} from './limits.ts';

export function findOverBudget(project: Project): Breach[] {
  return measured(project).flatMap((file) => [
    ...judgeFile(file),
    ...judgeFunctions(file),
    ...judgeLines(file),
  ]);
}

/** Files over the soft limit, longest first: each a place to ask whether it is two rooms. */
export function listLongFiles(project: Project): string[] {
  return measured(project)
    .filter(({ path, lines }) => lines > FILE_LINES_SOFT && lines <= linesMax(path))
    .filter(({ path }) => !isTestCode(path))
    .toSorted((a, b) => b.lines - a.lines)
    .map(({ path, lines }) => `${path} has ${lines} lines (aim for ${FILE_LINES_SOFT})`);
}

function measured(project: Project): SourceFacts[] {
  return [...project.values()].filter(({ path }) => !/(^|\/)generated\//.test(path));
}

function linesMax(path: string): number {
  if (isTestCode(path)) return TEST_FILE_LINES_MAX;
  return path.startsWith('server/src/gateway/pipeline/') ? STAGE_LINES_MAX : FILE_LINES_MAX;
}

function judgeFile({ path, lines }: SourceFacts): Breach[] {
  const max = linesMax(path);
  if (lines <= max) return [];
  return [breach(path, 0, `has ${lines} lines, at most ${max}: split it by concern`)];
}

function judgeFunctions({ path, functions }: SourceFacts): Breach[] {
  return functions
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ name, line, lines }) =>
      breach(path, line, `${name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}`),
    );
}

function judgeLines({ path, wideLines }: SourceFacts): Breach[] {
  return wideLines.map(({ line, columns }) =>
    breach(path, line, `has ${columns} columns, at most ${LINE_COLUMNS_MAX}`),
  );
}

function breach(path: string, line: number, message: string): Breach {
  return { rule: 'budgets', path, line, message };
}
