/**
 * `node scripts/docs.mjs [name…] [--check]`: writes the documents that are generated from code,
 * all of them where none is named. With `--check` nothing is written, and a document that
 * differs from what the code says ends with 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bin/runtime.mjs';

/** @typedef {{ path: string, text: string }} Document */

/** @type {Readonly<Record<string, () => Promise<readonly Document[]>>>} */
const documents = {
  async dashboards() {
    const { dashboardDocuments } = await import('./docs/dashboards.mjs');
    return dashboardDocuments();
  },
  async dialects() {
    const { dialectsDocuments } = await import('./docs/dialects.mjs');
    return dialectsDocuments();
  },
  async environment() {
    const { environmentDocuments } = await import('./docs/environment.mjs');
    return environmentDocuments();
  },
  async metrics() {
    const { metricsDocuments } = await import('./docs/metrics.mjs');
    return metricsDocuments();
  },
  async mock() {
    const { mockDocuments } = await import('./docs/mock.mjs');
    return mockDocuments();
  },
  async permissions() {
    const { permissionsDocuments } = await import('./docs/permissions.mjs');
    return permissionsDocuments();
  },
  async settings() {
    const { settingsDocuments } = await import('./docs/settings.mjs');
    return settingsDocuments();
  },
};

const args = process.argv.slice(2);
const isCheck = args.includes('--check');
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.filter((name) => !(name in documents));
if (unknown.length > 0) {
  console.error(
    `no document is called ${unknown.join(', ')}; there are: ${Object.keys(documents)}`,
  );
  process.exitCode = 2;
} else {
  const chosen = Object.entries(documents).filter(
    ([name]) => names.length === 0 || names.includes(name),
  );
  for (const [, generate] of chosen) {
    for (const { path, text } of await generate()) {
      if (readOrEmpty(path) === text) continue;
      if (isCheck) process.exitCode = 1;
      else writeFileSync(join(root, path), text);
      console.log(`${isCheck ? 'differs' : 'written'}: ${path}`);
    }
  }
}

/** @param {string} path */
function readOrEmpty(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
}
