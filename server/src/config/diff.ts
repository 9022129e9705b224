/**
 * What differs between two complete configurations, setting by setting, in the words of the
 * file and with secrets hidden; and the part of it that can only follow a restart.
 */
import { redactValue } from './redact.ts';
import { fileSchema, type Settings } from './schema/file.ts';
import type { Apply } from './schema/setting.ts';
import { bare, childOf, type Path, showPath } from './schema/walk.ts';

export interface Change {
  /** `models.fast.targets[0].weight` */
  readonly path: string;
  /** undefined: was not there. A secret is shown as `***`, also where it changed. */
  readonly before: unknown;
  /** undefined: is gone. */
  readonly after: unknown;
  readonly apply: Apply;
}

interface Difference {
  readonly path: Path;
  readonly apply: Apply;
}

/** Every setting that differs, in the order of the file's schema. */
export function diffSettings(before: Settings, after: Settings): readonly Change[] {
  return differences(before, after).map(({ path, apply }) => ({
    path: showPath(path),
    before: redactValue(before, path, valueAt(before, path)),
    after: redactValue(after, path, valueAt(after, path)),
    apply,
  }));
}

/** `wanted` with everything that needs a restart kept as it runs now. */
export function keepUntilRestart(running: Settings, wanted: Settings): Settings {
  const result = structuredClone(wanted);
  for (const { path, apply } of differences(running, wanted)) {
    if (apply === 'restart') put(result, path, valueAt(running, path));
  }
  return result;
}

function differences(before: Settings, after: Settings): readonly Difference[] {
  const found: Difference[] = [];

  function compare(
    schema: Parameters<typeof bare>[0] | undefined,
    path: Path,
    inherited: Apply,
    left: unknown,
    right: unknown,
  ): void {
    const apply = schema === undefined ? inherited : (bare(schema).meta.apply ?? inherited);
    if (!isComposite(left) || !isComposite(right) || !areAlike(left, right)) {
      if (!isEqual(left, right)) found.push({ path, apply });
      return;
    }
    for (const key of keysOf(left, right)) {
      const child = schema === undefined ? undefined : childOf(schema, key, right);
      compare(child, [...path, key], apply, member(left, key), member(right, key));
    }
  }

  compare(fileSchema, [], 'live', before, after);
  return found;
}

type Composite = Readonly<Record<string | number, unknown>>;

/** Lists of another length, and providers of another kind, are compared as a whole. */
function areAlike(left: Composite, right: Composite): boolean {
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && left.length === right.length;
  }
  return member(left, 'kind') === member(right, 'kind');
}

function keysOf(left: Composite, right: Composite): readonly (string | number)[] {
  if (Array.isArray(left)) return left.map((_, index) => index);
  return [...new Set([...Object.keys(left), ...Object.keys(right)])];
}

function isEqual(left: unknown, right: unknown): boolean {
  if (!isComposite(left) || !isComposite(right)) return Object.is(left, right);
  if (!areAlike(left, right)) return false;
  const keys = keysOf(left, right);
  return keys.every((key) => isEqual(member(left, key), member(right, key)));
}

function isComposite(value: unknown): value is Composite {
  return typeof value === 'object' && value !== null;
}

function member(value: Composite, key: string | number): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function valueAt(settings: Settings, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (isComposite(value) ? member(value, key) : undefined),
    settings,
  );
}

function put(settings: Settings, path: Path, value: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, key) => member(node as Composite, key), settings);
  const key = path.at(-1) as string;
  if (value === undefined) delete (parent as Record<string, unknown>)[key];
  else (parent as Record<string, unknown>)[key] = value;
}
