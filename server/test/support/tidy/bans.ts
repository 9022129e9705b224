/** What is banned where, each with what to use instead. */

import {
  type Breach,
  isTestCode,
  isTestFile,
  type Project,
  type SourceFacts,
  type Use,
  type UseKind,
} from './facts.ts';
import type { Graph } from './graph.ts';
import { mayBeCode } from './text-as-code.ts';

type Ban = {
  readonly kind: UseKind;
  /** Whether the ban holds for a file. */
  readonly where: (path: string) => boolean;
  readonly instead: string;
};

const isSource = (path: string) => /^(server|contracts|console)\/src\//.test(path);
const isServer = (path: string) => path.startsWith('server/src/');
const isIn = (path: string, ...rooms: string[]) =>
  rooms.some((room) => path.startsWith(`server/src/${room}/`));
/** What a call passes through. */
const HOT_ROOMS = ['http', 'gateway', 'providers', 'wire', 'transport', 'stores', 'telemetry'];
const isWiring = (path: string) => isIn(path, 'kernel', 'app');

const BANS: readonly Ban[] = [
  { kind: 'any', where: () => true, instead: 'unknown and a check' },
  { kind: 'enum', where: () => true, instead: 'a union of string literals' },
  { kind: 'focused test', where: isTestCode, instead: 'the whole file' },
  {
    kind: 'console',
    where: (path) => isSource(path) && !isIn(path, 'cli'),
    instead: 'the injected log (kernel/log.ts)',
  },
  {
    kind: 'environment',
    where: (path) => isServer(path) && !isIn(path, 'config'),
    instead: 'a setting: config/ is the only reader of the environment',
  },
  {
    kind: 'clock',
    where: (path) => isServer(path) && !isWiring(path),
    instead: 'the injected clock (kernel/clock.ts)',
  },
  {
    kind: 'randomness',
    where: (path) => isServer(path) && !isWiring(path),
    instead: 'the injected randomness (kernel/random.ts)',
  },
  {
    kind: 'sleep',
    where: isTestFile,
    instead: 'a condition with a deadline (server/test/support/until.ts), or a clock moved by hand',
  },
  {
    kind: 'function born old',
    where: (path) => HOT_ROOMS.some((room) => isIn(path, room)),
    instead: 'a constant that is assigned, or a field (docs/decisions/0025)',
  },
  // Attack D5: no field of a request becomes a command, a module, a statement or a pattern.
  {
    kind: 'text as code',
    where: (path) => isSource(path) && !mayBeCode(path),
    instead: 'a table of what there is, or a row in server/test/support/tidy/text-as-code.ts',
  },
  { kind: 'module state', where: isSource, instead: 'a factory that owns its state' },
  { kind: 'work on import', where: isSource, instead: 'a function that main.ts or app/ calls' },
];

export function findBanned(project: Project, graph: Graph): Breach[] {
  const starts = entriesOf(graph);
  return [...project.values()].flatMap((file) =>
    file.uses
      .filter(({ kind }) => kind !== 'work on import' || !starts.has(file.path))
      .flatMap((use) => judge(file, use)),
  );
}

function judge({ path }: SourceFacts, { kind, text, line }: Use): Breach[] {
  return BANS.filter((ban) => ban.kind === kind && ban.where(path)).map(({ instead }) => ({
    rule: 'banned',
    path,
    line,
    message: `${text} (${kind}): use ${instead}`,
  }));
}

/** Files that start by themselves: the program, and workers that are loaded by address. */
function entriesOf({ edges }: Graph): Set<string> {
  const workers = edges.filter(({ fact }) => fact.kind === 'url').map(({ to }) => to);
  return new Set(['server/src/main.ts', ...workers]);
}
