/**
 * Goal: the house stays as ARCHITECTURE draws it: rooms, sizes, bans, no cycle, no dead file.
 * Method: the real sources, parsed, against the rules of `support/tidy/`; that those rules see
 * each breach is tested on small projects in `unit/tidy/`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listLongFiles } from './support/tidy/budgets.ts';
import { describeBreach } from './support/tidy/facts.ts';
import { parseProject } from './support/tidy/parse.ts';
import { readCatalogueNames, readSources } from './support/tidy/read-tree.ts';
import { findBreaches } from './support/tidy/tidy.ts';

test('the sources keep the rules of the house', (t) => {
  const project = parseProject(readSources());

  const breaches = findBreaches({ project, catalogueNames: readCatalogueNames() });

  for (const line of listLongFiles(project)) t.diagnostic(line);
  t.diagnostic(`${project.size} files seen`);
  assert.equal(breaches.length, 0, `\n${breaches.map(describeBreach).join('\n')}\n`);
});
