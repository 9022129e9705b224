/**
 * The catalogue: vendors (where they are, what their dialect can do) and models (what they cost
 * and can do), read once at start from `server/catalogue`, which ships with the product, and
 * from the operator's own rows in the data folder, which win.
 *
 * A price is a row with a date from which it holds; several rows of one model are its history,
 * and the youngest that has begun is in force. A bad entry stops the start and is named. The
 * checks are written by hand: a thousand rows must cost a few milliseconds at most.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CatalogueModel,
  checkModels,
  checkVendors,
  type Vendor,
} from './catalogue-entries.ts';
import { ConfigError, type Problem } from './problem.ts';
import type { FileAccess } from './source/files.ts';

export interface Catalogue {
  readonly vendors: readonly Vendor[];
  /** Every row, the history included. */
  readonly rows: readonly CatalogueModel[];
  /** The row in force at `atMs`, by the model's name or one of its aliases. */
  find(vendor: string, model: string, atMs: number): CatalogueModel | null;
  /** Every model of a vendor that is in force at `atMs`, in the order of the file. */
  list(vendor: string, atMs: number): readonly CatalogueModel[];
}

const OWN_ROWS = 'models.json';
const FOLDER = fileURLToPath(new URL('../../catalogue/', import.meta.url));

/** Reads and checks both files; throws a `ConfigError` that names every bad entry. */
export async function loadCatalogue(files: FileAccess, folder = FOLDER): Promise<Catalogue> {
  const [vendorText, modelText] = await Promise.all([
    files.read(`${folder}vendors.json`),
    files.read(`${folder}models.json`),
  ]);
  const vendors = checkVendors(vendorText);
  const models = checkModels(modelText, new Set(vendors.entries.map(({ id }) => id)));
  const problems = [...vendors.problems, ...models.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  return createCatalogue(vendors.entries, models.entries);
}

/** The operator's own rows, in the shape of `models.json`. */
export function ownRowsFile(dataDir: string): string {
  return join(dataDir, OWN_ROWS);
}

/** The catalogue with the operator's own rows over it; itself where there are none. */
export async function withOwnRows(
  catalogue: Catalogue,
  files: FileAccess,
  dataDir: string,
): Promise<{ readonly catalogue: Catalogue; readonly problems: readonly Problem[] }> {
  const file = ownRowsFile(dataDir);
  const text = await files.read(file);
  if (text === null) return { catalogue, problems: [] };
  const vendors = new Set(catalogue.vendors.map(({ id }) => id));
  const { entries, problems } = checkModels(text, vendors, file);
  const own = new Set(entries.map(versionOf));
  const kept = catalogue.rows.filter((row) => !own.has(versionOf(row)));
  return { catalogue: createCatalogue(catalogue.vendors, [...kept, ...entries]), problems };
}

/** Names a row: a model's price from one day on. */
function versionOf({ vendor, model, effectiveFromMs }: CatalogueModel): string {
  return `${vendor}/${model}@${effectiveFromMs}`;
}

/** From entries that were checked. */
export function createCatalogue(
  vendors: readonly Vendor[],
  models: readonly CatalogueModel[],
): Catalogue {
  const byVendor = new Map<string, Map<string, CatalogueModel[]>>();
  for (const row of models) {
    const names = byVendor.get(row.vendor) ?? new Map<string, CatalogueModel[]>();
    byVendor.set(row.vendor, names);
    for (const name of [row.model, ...row.aliases]) {
      const rows = names.get(name);
      if (rows === undefined) names.set(name, [row]);
      else rows.push(row);
    }
  }
  return {
    vendors,
    rows: models,
    find: (vendor, model, atMs) => inForce(byVendor.get(vendor)?.get(model) ?? [], atMs),
    list(vendor, atMs) {
      const found: CatalogueModel[] = [];
      for (const [name, rows] of byVendor.get(vendor) ?? []) {
        const row = inForce(rows, atMs);
        if (row !== null && row.model === name) found.push(row);
      }
      return found;
    },
  };
}

function inForce(rows: readonly CatalogueModel[], atMs: number): CatalogueModel | null {
  let best: CatalogueModel | null = null;
  for (const row of rows) {
    const fromMs = row.effectiveFromMs ?? Number.NEGATIVE_INFINITY;
    const begun = fromMs <= atMs;
    if (begun && (best === null || fromMs >= (best.effectiveFromMs ?? fromMs))) best = row;
  }
  return best;
}
