/**
 * The import graph of our own files, and what can be said of it without knowing any room: edges
 * that lead nowhere, cycles, and files that no entry leads to. Type-only imports are edges too.
 */

import { posix } from 'node:path';
import { type Breach, type ImportFact, isTestCode, isTestFile, type Project } from './facts.ts';

export type Edge = {
  readonly from: string;
  readonly to: string;
  readonly fact: ImportFact;
};

export type Graph = {
  readonly files: readonly string[];
  readonly edges: readonly Edge[];
  readonly next: ReadonlyMap<string, readonly string[]>;
};

const CONTRACTS = '@esclusa/contracts';
const CONTRACTS_ENTRY = 'contracts/src/index.ts';
const OWN_PACKAGE = '@esclusa/';
const CODE = /\.[mc]?[jt]sx?$/;

export function buildGraph(project: Project): Graph {
  const files = [...project.keys()];
  const edges: Edge[] = [];
  for (const [from, { imports }] of project) {
    for (const fact of imports) {
      const to = resolve(from, fact.specifier);
      const targets = to?.includes('*') ? filesLike(to, files) : [to];
      for (const target of targets)
        if (target !== undefined) edges.push({ from, to: target, fact });
    }
  }
  const next = new Map(files.map((file): [string, string[]] => [file, []]));
  for (const { from, to } of edges) if (next.has(to)) next.get(from)?.push(to);
  return { files, edges, next };
}

/** The file of ours that a specifier names, or undefined where it names a package. */
function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (specifier === CONTRACTS) return CONTRACTS_ENTRY;
  return specifier.startsWith(OWN_PACKAGE) ? specifier : undefined;
}

/** The files that a computed address can mean; the address itself where there is none. */
function filesLike(address: string, files: readonly string[]): string[] {
  const [before = '', ...rest] = address.split('*');
  const after = rest.at(-1) ?? '';
  const found = files.filter((file) => file.startsWith(before) && file.endsWith(after));
  return found.length === 0 ? [address] : found;
}

/** Imports of a file that is not there, or by a name that reaches around a room's face. */
export function findBrokenEdges({ edges, next }: Graph): Breach[] {
  return edges
    .filter(({ to }) => CODE.test(to) || to.startsWith(OWN_PACKAGE))
    .filter(({ to }) => !next.has(to))
    .map(({ from, to, fact }) => {
      const message = `imports ${to}, which is not a file of the project`;
      return { rule: 'imports', path: from, line: fact.line, message };
    });
}

/** Every set of files that import each other, once, drawn as one way around. */
export function findCycles(graph: Graph): Breach[] {
  return stronglyConnected(graph).flatMap((members) => {
    const [start = ''] = members.toSorted();
    const way = wayAround(graph, start, new Set(members));
    if (way === undefined) return [];
    const message = `import cycle: ${way.join(' → ')}`;
    return [{ rule: 'cycles', path: start, line: 0, message }];
  });
}

/** The shortest way from a file back to itself within a set, both ends included. */
function wayAround(graph: Graph, start: string, within: Set<string>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const to of graph.next.get(file) ?? []) {
      if (!within.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, file);
      if (to === start) return drawBack(cameFrom, start);
      queue.push(to);
    }
  }
  return undefined;
}

function drawBack(cameFrom: ReadonlyMap<string, string>, start: string): string[] {
  const way = [start];
  let file = start;
  do {
    file = cameFrom.get(file) ?? start;
    way.unshift(file);
  } while (file !== start);
  return way;
}

/** Kosaraju's algorithm, without recursion: a deep graph must not end in a full stack. */
function stronglyConnected({ files, next }: Graph): string[][] {
  const back = new Map(files.map((file): [string, string[]] => [file, []]));
  for (const [from, targets] of next) for (const to of targets) back.get(to)?.push(from);
  const seen = new Set<string>();
  const finished = files.flatMap((file) => finishOrder(file, next, seen));
  const taken = new Set<string>();
  return finished.reverse().map((file) => finishOrder(file, back, taken));
}

/** The files reached from one and not seen before, each after those it leads to. */
function finishOrder(
  start: string,
  next: ReadonlyMap<string, readonly string[]>,
  seen: Set<string>,
): string[] {
  if (seen.has(start)) return [];
  seen.add(start);
  const order: string[] = [];
  const stack = [{ file: start, rest: [...(next.get(start) ?? [])] }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = top.rest.pop();
    if (to === undefined) {
      order.push(top.file);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ file: to, rest: [...(next.get(to) ?? [])] });
    }
  }
  return order;
}

/** What starts by itself; everything else must be reached from there. */
const PRODUCT_ENTRIES = ['server/src/main.ts', 'server/src/cli/index.ts'];
const ENTRIES_TEXT = PRODUCT_ENTRIES.join(' nor ');

/** Source files outside of the product, and test support that no test uses. */
export function findUnreached({ files, next }: Graph): Breach[] {
  const entries = PRODUCT_ENTRIES.filter((path) => next.has(path));
  const missing = PRODUCT_ENTRIES.filter((path) => !next.has(path)).map(missingEntry);
  if (entries.length === 0) return missing;
  const product = reach(entries, next);
  const tests = reach(files.filter(isTestFile), next);
  const dead = files.flatMap((path) => {
    if (isTestCode(path)) return tests.has(path) ? [] : [unreached(path, 'no test file')];
    const isProduct = /^(server|contracts)\/src\//.test(path);
    return !isProduct || product.has(path) ? [] : [unreached(path, `neither ${ENTRIES_TEXT}`)];
  });
  return [...missing, ...dead];
}

function missingEntry(path: string): Breach {
  return { rule: 'dead files', path, line: 0, message: 'is missing: the product starts there' };
}

function unreached(path: string, nobody: string): Breach {
  return {
    rule: 'dead files',
    path,
    line: 0,
    message: `is outside of the graph: ${nobody} leads to it`,
  };
}

function reach(entries: readonly string[], next: Graph['next']): Set<string> {
  const seen = new Set<string>();
  for (const entry of entries) finishOrder(entry, next, seen);
  return seen;
}
