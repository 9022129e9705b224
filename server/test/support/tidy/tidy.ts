/** All the rules over one project: what the tidy test asserts to be empty. */

import { findBanned } from './bans.ts';
import { findOverBudget } from './budgets.ts';
import type { Breach, Project } from './facts.ts';
import { buildGraph, findBrokenEdges, findCycles, findUnreached } from './graph.ts';
import { findForbiddenImports, findForbiddenPackages } from './import-table.ts';
import { findProviderNames } from './provider-names.ts';

export type TidyInput = {
  readonly project: Project;
  /** Names of providers that only the catalogue knows. */
  readonly catalogueNames: Iterable<string>;
};

export function findBreaches({ project, catalogueNames }: TidyInput): Breach[] {
  const graph = buildGraph(project);
  return [
    ...findNothing(project),
    ...findForbiddenImports(graph),
    ...findForbiddenPackages(project.values()),
    ...findBrokenEdges(graph),
    ...findCycles(graph),
    ...findUnreached(graph),
    ...findOverBudget(project),
    ...findBanned(project, graph),
    ...findProviderNames(project, catalogueNames),
  ];
}

/** A check that looked at nothing has not passed. */
function findNothing(project: Project): Breach[] {
  if ([...project.keys()].some((path) => path.startsWith('server/src/'))) return [];
  return [{ rule: 'zero files', path: 'server/src', line: 0, message: 'no source file was seen' }];
}
