/**
 * The catalogue that ships with the product: vendors (where they are, what their dialect can
 * do) and models (what they cost and can do), read from `server/catalogue` once at start.
 *
 * A price is a row with a date from which it holds; several rows of one model are its history,
 * and the youngest that has begun is in force. A bad entry stops the start and is named. The
 * checks are written by hand: a thousand rows must cost a few milliseconds at most.
 */
import { fileURLToPath } from 'node:url';
import {
  type CatalogueModel,
  type Checked,
  checkModels,
  checkVendors,
  type Vendor,
} from './catalogue-entries.ts';
import { ConfigError } from './problem.ts';
import type { FileAccess } from './source/files.ts';

export interface Catalogue {
  readonly vendors: readonly Vendor[];
  /** The row in force at `atMs`, by the model's name or one of its aliases. */
  find(vendor: string, model: string, atMs: number): CatalogueModel | null;
  /** Every model of a vendor that is in force at `atMs`, in the order of the file. */
  list(vendor: string, atMs: number): readonly CatalogueModel[];
}

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
  return createCatalogue(vendors, models);
}

function createCatalogue(vendors: Checked<Vendor>, models: Checked<CatalogueModel>): Catalogue {
  const byVendor = new Map<string, Map<string, CatalogueModel[]>>();
  for (const row of models.entries) {
    const names = byVendor.get(row.vendor) ?? new Map<string, CatalogueModel[]>();
    byVendor.set(row.vendor, names);
    for (const name of [row.model, ...row.aliases]) {
      const rows = names.get(name);
      if (rows === undefined) names.set(name, [row]);
      else rows.push(row);
    }
  }
  return {
    vendors: vendors.entries,
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
