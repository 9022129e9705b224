/**
 * The documents that are generated from the configuration's schema.
 */
import { fileJsonSchema, loadCatalogue, systemFiles } from '../../server/src/config/index.ts';
import { settingsPage } from './settings-page.mjs';

/** Paths are below the root of the project. */
export async function settingsDocuments() {
  const { vendors } = await loadCatalogue(systemFiles);
  const schema = JSON.stringify(fileJsonSchema(), null, 2);
  return [
    { path: 'docs/settings.md', text: settingsPage(vendors) },
    { path: 'docs/esclusa.schema.json', text: `${schema}\n` },
  ];
}
