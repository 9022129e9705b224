/** Reads from disk what the tidy test looks at: our own sources, and the names in the catalogue. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

const PATTERNS = [
  'bench/**/*.ts',
  'bin/*.mjs',
  'chaos/**/*.ts',
  'console/src/**/*.{ts,tsx}',
  'contracts/{src,test}/**/*.ts',
  'examples/**/*.{ts,mjs}',
  'scripts/**/*.mjs',
  'server/{src,test}/**/*.{ts,mjs}',
];

/** Texts by path relative to the repository. */
export function readSources(): Map<string, string> {
  const paths = globSync(PATTERNS, { cwd: ROOT, exclude: ['**/node_modules/**'] });
  const sorted = paths.map((path) => path.replaceAll('\\', '/')).toSorted();
  return new Map(sorted.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

/** The vendors of the catalogue: every `id` in its files. */
export function readCatalogueNames(): string[] {
  return globSync('server/catalogue/*.json', { cwd: ROOT }).flatMap((path) => {
    const content: unknown = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
    return Array.isArray(content) ? content.flatMap(idOf) : [];
  });
}

function idOf(entry: unknown): string[] {
  const isRow = typeof entry === 'object' && entry !== null && 'id' in entry;
  return isRow && typeof entry.id === 'string' ? [entry.id] : [];
}
