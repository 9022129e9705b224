/**
 * Who may import whom: the table of the architecture, row by row. Left may import right and its
 * own room, nothing else. A folder that is not in the table is a breach, so that a new room is
 * first given its place here.
 *
 * Paths in the table are relative to `server/src`; `*` is one name, `**` any path, `!` takes out.
 */

import { type Breach, isTestCode } from './facts.ts';
import type { Edge, Graph } from './graph.ts';

const CONTRACTS = 'contracts';
const KERNEL = 'kernel/**';
const MODEL = 'gateway/model/**';
const GATEWAY_PORTS = 'gateway/ports/**';
const GATEWAY_FACE = 'gateway/index.ts';

const DOMAINS = ['gateway', 'identity', 'tenancy', 'operations', 'learning', 'workflows'];
const FACES = DOMAINS.map((domain) => `${domain}/index.ts`);
const PORTS = DOMAINS.flatMap((domain) => [`${domain}/ports/**`, `${domain}/ports.ts`]);

const CORE_ROOM = [MODEL, GATEWAY_PORTS, KERNEL];
const CONTROL_DOMAIN = [GATEWAY_FACE, KERNEL, CONTRACTS];
const APPLICATION = [KERNEL, CONTRACTS];
const ADAPTER = [...PORTS, MODEL, KERNEL];

const TABLE: ReadonlyMap<string, readonly string[]> = new Map([
  ['kernel', []],
  ['wire', [KERNEL]],
  ['config', [KERNEL, 'providers/*/settings.ts']],
  ['gateway/model', [KERNEL]],
  ['gateway/ports', [MODEL, KERNEL]],
  ['gateway/resilience', CORE_ROOM],
  ['gateway/routing', CORE_ROOM],
  ['gateway/caching', CORE_ROOM],
  ['gateway/limits', CORE_ROOM],
  ['gateway/replay', CORE_ROOM],
  ['gateway/accounting', CORE_ROOM],
  ['gateway/guardrails', CORE_ROOM],
  ['gateway/pipeline', ['gateway/*/**', KERNEL]],
  [GATEWAY_FACE, ['gateway/*/**']],
  ['providers', ['wire/**', MODEL, GATEWAY_PORTS, KERNEL]],
  ['identity', CONTROL_DOMAIN],
  ['tenancy', CONTROL_DOMAIN],
  ['operations', CONTROL_DOMAIN],
  ['learning', APPLICATION],
  ['workflows', APPLICATION],
  ['bridges', [GATEWAY_FACE, ...PORTS]],
  ['storage', ADAPTER],
  ['stores', ADAPTER],
  ['transport', ADAPTER],
  ['telemetry', ADAPTER],
  ['http', [...FACES, 'wire/**', CONTRACTS, KERNEL]],
  ['cluster', [KERNEL, 'config/**', 'stores/**']],
  ['app', ['*/**', '!cli/**', CONTRACTS, '../catalogue/**']],
  ['cli', ['app/**', 'cluster/**', 'config/**', ...FACES]],
]);

/** Rooms that stand for no outside world: no sockets, no files, no SQL, no other process. */
const PURE = /^(kernel|wire|providers|gateway\/[^/]+)$/;
const OUTSIDE_WORLD = new RegExp(
  '^(node:(net|tls|http|https|http2|dgram|dns|fs|sqlite|child_process|cluster|worker_threads)' +
    '(/.*)?|undici|fastify|kysely|pg|ioredis)$',
);

const SERVER = 'server/src/';
const PROVIDERS_FACE = 'providers/index.ts';
const PROVIDERS_LIST = 'providers/registry.ts';

export function findForbiddenImports({ files, edges }: Graph): Breach[] {
  const rooms = files
    .filter((path) => path.startsWith(SERVER) && roomOf(path.slice(SERVER.length)) === undefined)
    .map((path) =>
      breach(path, 0, 'stands in no room: give it one, or its room a row in the table'),
    );
  return [...rooms, ...edges.flatMap(judgeEdge)];
}

/** Packages that a pure room or the contracts must not know. */
export function findForbiddenPackages(project: Iterable<PackageImports>): Breach[] {
  return [...project].flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('@esclusa/'))
      .flatMap(({ specifier, line }) => {
        const message = judgePackage(path, specifier);
        return message === '' ? [] : [breach(path, line, message)];
      }),
  );
}

type PackageImports = {
  readonly path: string;
  readonly imports: readonly { readonly specifier: string; readonly line: number }[];
};

function judgePackage(path: string, specifier: string): string {
  if (path.startsWith('contracts/src/')) {
    return specifier === 'zod' ? '' : `imports ${specifier}: contracts import only zod`;
  }
  if (!path.startsWith(SERVER)) return '';
  const room = roomOf(path.slice(SERVER.length)) ?? '';
  if (!PURE.test(room) || !OUTSIDE_WORLD.test(specifier)) return '';
  return `imports ${specifier}: ${room} does no input or output; ask for it by a port`;
}

function judgeEdge({ from, to, fact }: Edge): Breach[] {
  const message = judge(from, to);
  return message === '' ? [] : [breach(from, fact.line, message)];
}

function judge(from: string, to: string): string {
  if (isTestCode(from)) return '';
  if (from.startsWith('contracts/')) {
    return to.startsWith('contracts/') ? '' : `imports ${to}: contracts import only zod`;
  }
  if (from.startsWith('console/')) return judgeConsole(from, to);
  if (!from.startsWith(SERVER)) return '';
  const target = targetOf(to);
  if (target === undefined) return `imports ${to}, which is no part of the server`;
  return judgeRooms(from.slice(SERVER.length), target);
}

/** A target as the table writes it: relative to `server/src`, the catalogue or the contracts. */
function targetOf(to: string): string | undefined {
  if (to.startsWith(SERVER)) return to.slice(SERVER.length);
  if (to.startsWith('contracts/')) return CONTRACTS;
  return to.startsWith('server/catalogue/') ? to.replace('server', '..') : undefined;
}

function judgeRooms(from: string, to: string): string {
  const room = roomOf(from);
  if (room === undefined) return '';
  if (roomOf(to) === room) return room === 'providers' ? judgeProviders(from, to) : '';
  const allowed = TABLE.get(room) ?? [];
  const isTakenOut = allowed.some((pattern) => matches(pattern, `!${to}`));
  if (!isTakenOut && allowed.some((pattern) => matches(pattern, to))) return '';
  const list = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ');
  return `imports ${to}: ${room} may import ${list}`;
}

/** The registry is the only list of providers; the room's face may pass it on. */
function judgeProviders(from: string, to: string): string {
  const [own] = folderOf(from);
  const [other] = folderOf(to);
  const isFace = from === PROVIDERS_FACE;
  if (isFace || to === PROVIDERS_FACE || to === PROVIDERS_LIST) {
    return isFace ? '' : `imports ${to}: the registry and the face know the providers`;
  }
  if (from === PROVIDERS_LIST || other === undefined || other === own) return '';
  return `imports ${to}: a provider never imports another; share by a folder or a file of the room`;
}

function folderOf(path: string): string[] {
  return path.split('/').slice(1, -1);
}

const FEATURE = /^console\/src\/features\/([^/]+)\//;

function judgeConsole(from: string, to: string): string {
  if (to.startsWith('contracts/')) return '';
  if (!to.startsWith('console/')) return `imports ${to}: console may import contracts`;
  const own = FEATURE.exec(from)?.[1];
  const other = FEATURE.exec(to)?.[1];
  if (own === undefined || other === undefined || own === other) return '';
  return `imports ${to}: a feature never imports another`;
}

/** The row of the table that a file belongs to, or undefined where it has none. */
function roomOf(path: string): string | undefined {
  if (path === 'main.ts') return 'cli';
  if (path === GATEWAY_FACE) return GATEWAY_FACE;
  const [first = '', second = '', third] = path.split('/');
  const isInside = second !== '' && (first !== 'gateway' || third !== undefined);
  const room = first === 'gateway' ? `${first}/${second}` : first;
  return isInside && TABLE.has(room) ? room : undefined;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replaceAll('.', '\\.')
    .replaceAll('**', '…')
    .replaceAll('*', '[^/!]+')
    .replaceAll('…', '.+');
  return new RegExp(`^${source}$`).test(path);
}

function breach(path: string, line: number, message: string): Breach {
  return { rule: 'import table', path, line, message };
}
