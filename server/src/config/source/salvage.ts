/**
 * Takes out of a tree what is wrong with it, so that the rest can still be checked and every
 * problem of a file is told in one go. What it returns is never used to run anything.
 */
import { memberOf, type Path } from '../schema/walk.ts';
import type { Tree } from './yaml-file.ts';

/** A copy without the values at `paths`; an item of a list takes its whole list with it. */
export function without(tree: Tree, paths: readonly Path[]): Tree {
  return paths.reduce((rest, path) => remove(rest, existing(rest, path)) as Tree, tree);
}

/** The path, or the nearest one above it that exists and whose removal shifts no index. */
function existing(tree: Tree, path: Path): Path {
  const item = path.findIndex((key) => typeof key === 'number');
  const whole = item < 0 ? path : path.slice(0, item - 1);
  for (let length = whole.length; length > 0; length -= 1) {
    const candidate = whole.slice(0, length);
    if (candidate.reduce(memberOf, tree as unknown) !== undefined) return candidate;
  }
  return [];
}

function remove(node: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return {};
  if (typeof node !== 'object' || node === null) return node;
  const copy: Record<string, unknown> = { ...node };
  if (rest.length === 0) delete copy[key];
  else copy[key] = remove(copy[key], rest);
  return copy;
}
