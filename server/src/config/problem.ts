/**
 * What is wrong with a configuration, as people read it: where, what, and what would be
 * accepted. All problems of one attempt travel in one `ConfigError`.
 *
 * A message shows a value only where the setting is not a secret.
 */
import { type Path, showPath } from './schema/walk.ts';

export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'environment'; readonly name: string }
  /** Given to the command that runs, as `--port`. */
  | { readonly kind: 'option'; readonly name: string }
  /** An entry of a file that ships with the product. */
  | { readonly kind: 'catalogue'; readonly file: string; readonly entry: string }
  /** Nobody wrote it down: the default, or the configuration as a whole. */
  | { readonly kind: 'default' };

export interface Problem {
  readonly place: Place;
  /** The setting in the words of the file; empty where the place says it all. */
  readonly path: Path;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = inOrder(problems);
    const count = sorted.length === 1 ? 'a problem' : `${sorted.length} problems`;
    const lines = sorted.map((problem) => `  ${showProblem(problem)}`);
    super([`The configuration has ${count}:`, ...lines].join('\n'));
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}

/** `esclusa.yaml:12:5 models.fast.strategy — "fast" is not accepted; accepted: …` */
export function showProblem({ place, path, message }: Problem): string {
  const where = [showPlace(place), showPath(path)].filter((part) => part !== '').join(' ');
  return where === '' ? message : `${where} — ${message}`;
}

function showPlace(place: Place): string {
  if (place.kind === 'file') return `${place.file}:${place.line}:${place.column}`;
  if (place.kind === 'catalogue') return `catalogue/${place.file} ${place.entry}`.trimEnd();
  if (place.kind === 'option') return place.name;
  return place.kind === 'environment' ? `environment ${place.name}` : '';
}

/** Options, then by place in the file, then variables by name; each is said once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [showProblem(problem), problem]));
  return [...unique.values()].sort((a, b) => compare(a.place, b.place));
}

function compare(a: Place, b: Place): number {
  if (a.kind === 'file' && b.kind === 'file') return a.line - b.line || a.column - b.column;
  if (a.kind === 'environment' && b.kind === 'environment') return a.name < b.name ? -1 : 1;
  return RANK[a.kind] - RANK[b.kind];
}

const RANK = { option: 0, catalogue: 1, file: 2, environment: 3, default: 4 } as const;
