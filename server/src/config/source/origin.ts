/**
 * Where a setting was written: a variable, a line of the file, or nowhere (its default).
 */
import type { Place } from '../problem.ts';
import type { Path } from '../schema/walk.ts';
import type { Override } from './environment.ts';
import type { FileSource, Position } from './yaml-file.ts';

export interface Origin {
  /** The place of a value; of the nearest mapping around it where it was not written itself. */
  placeOf(path: Path): Place;
  placeOfKey(path: Path): Place;
  /** True where somebody wrote the value, so that it is not a default. */
  isWritten(path: Path): boolean;
}

export function createOrigin(
  file: string,
  source: FileSource,
  overrides: readonly Override[],
): Origin {
  const names = new Map(overrides.map(({ path, name }) => [JSON.stringify(path), name]));
  const inFile = (position: Position): Place => ({ kind: 'file', file, ...position });

  function placeOf(path: Path): Place {
    const name = names.get(JSON.stringify(path));
    if (name !== undefined) return { kind: 'environment', name };
    const position = source.valueAt(path);
    if (position !== undefined) return inFile(position);
    return path.length > 1 ? placeOf(path.slice(0, -1)) : { kind: 'default' };
  }

  return {
    placeOf,
    placeOfKey(path) {
      const position = source.keyAt(path);
      return position === undefined ? placeOf(path) : inFile(position);
    },
    isWritten: (path) => names.has(JSON.stringify(path)) || source.valueAt(path) !== undefined,
  };
}
