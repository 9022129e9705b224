/**
 * The configuration file: text to a plain tree, with the place of every value and every key.
 *
 * The parser is loaded only when there is a file. Anchors and aliases work; the tree they
 * unfold to is bounded. Numbers that come from `${NAME}` are still text here: which of them
 * are numbers only the schema knows.
 */
import type { Document, LineCounter, Node, Pair, Scalar } from 'yaml';
import type { Problem } from '../problem.ts';
import type { Path } from '../schema/walk.ts';
import { type Environment, textOf } from './environment.ts';
import { expandReferences, hideReferences } from './references.ts';

const NODES_MAX = 100_000;
const PARSE_OPTIONS = { prettyErrors: false, version: '1.2', stringKeys: true } as const;

type Yaml = typeof import('yaml');
type PlaceKind = 'key' | 'value';
type Complain = (offset: number, path: Path, message: string) => void;

export type Tree = Record<string, unknown>;

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface FileSource {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  /** Paths whose whole text was one reference. */
  readonly references: readonly Path[];
  valueAt(path: Path): Position | undefined;
  keyAt(path: Path): Position | undefined;
}

export const NO_FILE: FileSource = {
  tree: {},
  problems: [],
  references: [],
  valueAt: () => undefined,
  keyAt: () => undefined,
};

/** Parses the file; syntax errors, missing variables and the like are in `problems`. */
export async function readYaml(file: string, text: string, env: Environment): Promise<FileSource> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const problems: Problem[] = [];
  const complain: Complain = (offset, path, message) => {
    problems.push({ place: { kind: 'file', file, ...positionOf(lines, offset) }, path, message });
  };
  const hidden = hideReferences(text);
  if (hidden === null) {
    complain(0, [], 'contains characters of the range U+E000 to U+E003, which are reserved');
    return { ...NO_FILE, problems };
  }
  const document = yaml.parseDocument(hidden, { ...PARSE_OPTIONS, lineCounter: lines });
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    complain(pos[0], [], message.replace(/\s+/g, ' '));
  }
  if (problems.length > 0 || document.contents === null) return { ...NO_FILE, problems };
  if (!yaml.isMap(document.contents)) complain(0, [], 'is not a mapping of settings');
  const { tree, places, references } = unfold(yaml, document, complain, (name) =>
    textOf(env, name),
  );
  const find = (kind: PlaceKind, path: Path): Position | undefined => {
    const offset = places.get(placeKey(kind, path));
    return offset === undefined ? undefined : positionOf(lines, offset);
  };
  return {
    ...{ tree: isTree(tree) ? tree : {}, problems, references },
    valueAt: (path) => find('value', path),
    keyAt: (path) => find('key', path),
  };
}

interface Unfolded {
  readonly tree: unknown;
  /** Offsets in the text, by `placeKey`. */
  readonly places: ReadonlyMap<string, number>;
  readonly references: readonly Path[];
}

function unfold(
  yaml: Yaml,
  document: Document.Parsed,
  complain: Complain,
  lookup: (name: string) => string | undefined,
): Unfolded {
  const references: Path[] = [];
  const places = new Map<string, number>();
  let nodes = 0;

  function build(node: unknown, path: Path): unknown {
    const target = yaml.isAlias(node) ? node.resolve(document) : node;
    const offset = offsetOf(node);
    places.set(placeKey('value', path), offset);
    nodes += 1;
    if (nodes === NODES_MAX) complain(offset, [], `unfolds to more than ${NODES_MAX} values`);
    if (nodes >= NODES_MAX) return null;
    if (yaml.isSeq(target)) return target.items.map((item, i) => build(item, [...path, i]));
    if (yaml.isMap(target)) return buildMap(target.items, path);
    return yaml.isScalar(target) ? scalar(target, offset, path) : null;
  }

  function buildMap(items: readonly Pair[], path: Path): Tree {
    const tree: Tree = {};
    for (const { key, value } of items) {
      const name = String(yaml.isScalar(key) ? key.value : key);
      const below = [...path, name];
      places.set(placeKey('key', below), offsetOf(key));
      if (name === '__proto__') complain(offsetOf(key), path, '"__proto__" cannot be a name');
      else tree[name] = build(value, below);
    }
    return tree;
  }

  function scalar({ value, type }: Scalar, offset: number, path: Path): unknown {
    if (typeof value !== 'string') return value;
    const expansion = expandReferences(value, lookup);
    for (const message of expansion.problems) complain(offset, path, message);
    if (type === 'PLAIN' && expansion.alone) references.push(path);
    return expansion.text;
  }

  const tree = build(document.contents, []);
  return { tree, places, references };
}

function offsetOf(node: unknown): number {
  const { range } = (node ?? {}) as Partial<Node>;
  return range?.[0] ?? 0;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function placeKey(kind: PlaceKind, path: Path): string {
  return `${kind}${JSON.stringify(path)}`;
}
