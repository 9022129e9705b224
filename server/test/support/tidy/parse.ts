/**
 * Turns source texts into facts, with TypeScript's own parser. The one module that depends on the
 * compiler's unstable interface: it opens a project of the given texts alone, without the
 * libraries and without following an import, so that nothing but parsing takes place.
 */

import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';
import { collectFunctions } from './collect-functions.ts';
import { collectImports } from './collect-imports.ts';
import { collectTopLevel } from './collect-top-level.ts';
import { collectUses } from './collect-uses.ts';
import type { Project, SourceFacts } from './facts.ts';
import { LINE_COLUMNS_MAX } from './limits.ts';
import type { ParsedFile } from './syntax.ts';

const ROOT = '/project';
const CONFIG = `${ROOT}/tsconfig.json`;
const OPTIONS = {
  allowJs: true,
  jsx: 'preserve',
  module: 'esnext',
  moduleDetection: 'force',
  noLib: true,
  noResolve: true,
  target: 'esnext',
  types: [],
};

/** Parses texts by path; a text that cannot be parsed at all throws. */
export function parseProject(sources: ReadonlyMap<string, string>): Project {
  const config = { compilerOptions: OPTIONS, files: [...sources.keys()] };
  const files: Record<string, string> = { [CONFIG]: JSON.stringify(config) };
  for (const [path, text] of sources) files[`${ROOT}/${path}`] = text;
  const api = new API({ cwd: ROOT, fs: createVirtualFileSystem(files) });
  try {
    const project = api.updateSnapshot({ openProjects: [CONFIG] }).getProject(CONFIG);
    const facts = new Map<string, SourceFacts>();
    for (const [path, text] of sources) {
      const file = project?.program.getSourceFile(`${ROOT}/${path}`);
      if (file === undefined) throw new Error(`${path} was not parsed`);
      facts.set(path, factsOf({ path, text, tree: file }));
    }
    return facts;
  } finally {
    api.close();
  }
}

function factsOf(file: ParsedFile): SourceFacts {
  const lines = file.text.replace(/\n$/, '').split('\n');
  const wideLines = lines
    .map((text, index) => ({ line: index + 1, columns: [...text].length, text }))
    .filter(({ columns, text }) => columns > LINE_COLUMNS_MAX && !isUnbreakable(text))
    .map(({ line, columns }) => ({ line, columns }));
  return {
    path: file.path,
    lines: lines.length,
    wideLines,
    imports: collectImports(file),
    functions: collectFunctions(file),
    uses: [...collectUses(file), ...collectTopLevel(file)],
  };
}

/** An address cannot be broken over two lines. */
function isUnbreakable(text: string): boolean {
  return /https?:\/\/\S{40,}/.test(text);
}
