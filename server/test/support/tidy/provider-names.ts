/**
 * A provider's name stands only in its own folder, the registry, the catalogue and tests: nothing
 * else may decide by who answers. The three dialects share their names with providers, and are
 * also words of the rooms that speak them.
 */

import type { Breach, Project } from './facts.ts';

const PROVIDERS = 'server/src/providers/';
const DIALECTS: ReadonlySet<string> = new Set(['openai', 'anthropic', 'gemini']);

/** Where a dialect may be named: who speaks it, and who keeps what was spoken. */
const DIALECT_ROOMS = [
  'contracts/src/',
  'server/src/gateway/model/',
  'server/src/http/',
  'server/src/providers/',
  'server/src/storage/codes.ts',
  'server/src/wire/',
];

/** Finds names in code; `catalogue` holds the names that only the catalogue knows. */
export function findProviderNames(project: Project, catalogue: Iterable<string>): Breach[] {
  const names = new Set([...foldersOf(project), ...catalogue]);
  return [...project.values()]
    .filter(({ path }) => /^(server|contracts|console)\/src\//.test(path))
    .flatMap(({ path, uses }) =>
      uses
        .filter(({ kind }) => kind === 'word')
        .flatMap(({ text, line }) => {
          const name = nameIn(text, names);
          if (name === undefined || isAtHome(path, name)) return [];
          const message = `names the provider '${name}': ask for a capability, or move it home`;
          return [{ rule: 'provider names', path, line, message }];
        }),
    );
}

function foldersOf(project: Project): string[] {
  return [...project.keys()]
    .filter((path) => path.startsWith(PROVIDERS))
    .map((path) => path.slice(PROVIDERS.length).split('/'))
    .flatMap(([folder = '', file]) => (file === undefined ? [] : [folder]));
}

/** The provider that a word is, or that it names in front of a model: `deepseek/deepseek-chat`. */
function nameIn(word: string, names: ReadonlySet<string>): string | undefined {
  const [first = ''] = word.toLowerCase().split('/');
  return names.has(first) ? first : undefined;
}

function isAtHome(path: string, name: string): boolean {
  if (path.startsWith(`${PROVIDERS}${name}/`) || path === `${PROVIDERS}registry.ts`) return true;
  return DIALECTS.has(name) && DIALECT_ROOMS.some((room) => path.startsWith(room));
}
