/**
 * What a newer list of prices would change in the catalogue in force, as rows to add. Nothing is
 * ever changed in place: a price, a context or a limit that differs is a new row with the day
 * from which it holds, and the old one remains as history. Models that the list does not have
 * are kept.
 */
import type { Catalogue } from './catalogue.ts';
import { type CatalogueModel, checkModels, type Figures } from './catalogue-entries.ts';
import { mannerRow } from './catalogue-manner.ts';
import { isPriceList, type PriceRow, rowsOfPriceList } from './price-list.ts';
import { ConfigError } from './problem.ts';

export interface PriceChange {
  /** `facts`: only the context or the largest answer differ. `missing`: kept as it is. */
  readonly kind: 'new' | 'price' | 'facts' | 'missing';
  readonly vendor: string;
  readonly model: string;
  readonly before: CatalogueModel | null;
  /** null where it is missing from the list. */
  readonly after: CatalogueModel | null;
}

const DAY_LENGTH = 10;

/** The rows of a list, in either shape; throws a `ConfigError` that names every bad entry. */
export function readPriceList(
  text: string,
  file: string,
  { vendors }: Catalogue,
): readonly CatalogueModel[] {
  const value = parse(text);
  const rows = isPriceList(value) ? rowsOfPriceList(value, vendors) : null;
  const known = new Set(vendors.map(({ id }) => id));
  const own = rows === null ? text : JSON.stringify(rows);
  const { entries, problems } = checkModels(own, known, file);
  if (problems.length > 0) throw new ConfigError(problems);
  return entries;
}

/** The differences, in the order of the list; models that it lacks last. */
export function comparePrices(
  catalogue: Catalogue,
  list: readonly CatalogueModel[],
  nowMs: number,
): PriceChange[] {
  const newest = new Map<string, CatalogueModel>();
  for (const row of list) {
    const name = nameOf(row);
    const earlier = newest.get(name);
    if ((row.effectiveFromMs ?? 0) >= (earlier?.effectiveFromMs ?? 0)) newest.set(name, row);
  }
  const changes: PriceChange[] = [];
  for (const row of newest.values()) {
    const change = changeOf(catalogue.find(row.vendor, row.model, nowMs), row, nowMs);
    if (change !== null && !isThere(catalogue, change)) changes.push(change);
  }
  return [...changes, ...missing(catalogue, newest, nowMs)];
}

/** The row was added before, for a day that is still to come. */
function isThere({ rows }: Catalogue, { after }: PriceChange): boolean {
  const wanted = after === null ? '' : JSON.stringify(toRow(after));
  return rows.some((row) => row.model === after?.model && JSON.stringify(toRow(row)) === wanted);
}

function changeOf(
  before: CatalogueModel | null,
  listed: CatalogueModel,
  nowMs: number,
): PriceChange | null {
  const { vendor, model } = listed;
  if (before === null) return { kind: 'new', vendor, model, before, after: listed };
  if (before.model !== model) return null; // one of its other names, priced as it is
  const after = {
    ...listed,
    aliases: [...new Set([...before.aliases, ...listed.aliases])],
    operations: before.operations,
    capabilities: listed.capabilities.length > 0 ? listed.capabilities : before.capabilities,
    manner: listed.manner ?? before.manner,
    contextTokens: listed.contextTokens ?? before.contextTokens,
    maxOutputTokens: listed.maxOutputTokens ?? before.maxOutputTokens,
    effectiveFromMs: dayOf(listed, before, nowMs),
  };
  const change = { vendor, model, before, after };
  if (!sameFigures(before.figures, after.figures)) return { kind: 'price', ...change };
  const sameFacts =
    before.contextTokens === after.contextTokens &&
    before.maxOutputTokens === after.maxOutputTokens;
  return sameFacts ? null : { kind: 'facts', ...change };
}

/** The list's own day where it is later than that of the row in force, else today. */
function dayOf(listed: CatalogueModel, before: CatalogueModel, nowMs: number): number {
  const told = listed.effectiveFromMs;
  const isLater = told !== null && told > (before.effectiveFromMs ?? 0);
  return isLater ? told : Date.parse(day(nowMs));
}

function missing(
  catalogue: Catalogue,
  newest: ReadonlyMap<string, CatalogueModel>,
  nowMs: number,
): PriceChange[] {
  const listed = [...newest.values()];
  const names = new Set(
    listed.flatMap((row) => [row.model, ...row.aliases].map((name) => `${row.vendor}/${name}`)),
  );
  return [...new Set(listed.map(({ vendor }) => vendor))].flatMap((vendor) =>
    catalogue
      .list(vendor, nowMs)
      .filter((row) => ![row.model, ...row.aliases].some((name) => names.has(`${vendor}/${name}`)))
      .map((row) => ({
        ...{ kind: 'missing' as const, vendor, model: row.model, before: row, after: null },
      })),
  );
}

/** The text of the operator's own rows with these changes added. */
export function addOwnRows(ownText: string | null, changes: readonly PriceChange[]): string {
  const own = (parse(ownText ?? '[]') ?? []) as readonly PriceRow[];
  const added = changes.flatMap(({ after }) => (after === null ? [] : [toRow(after)]));
  const replaced = new Set(added.map(versionOf));
  const kept = own.filter((row) => !replaced.has(versionOf(row)));
  const rows = [...kept, ...added].map((row) => `  ${JSON.stringify(row)}`);
  return `[\n${rows.join(',\n')}\n]\n`;
}

function toRow(row: CatalogueModel): PriceRow {
  const { figures } = row;
  return {
    vendor: row.vendor,
    model: row.model,
    ...(row.aliases.length === 0 ? {} : { aliases: row.aliases }),
    operations: row.operations,
    ...(row.capabilities.length === 0 ? {} : { capabilities: row.capabilities }),
    ...mannerRow(row.manner),
    input_usd_per_million: figures.inputUsdPerMillion,
    cached_input_usd_per_million: figures.cachedInputUsdPerMillion,
    ...(figures.cacheWriteUsdPerMillion === undefined
      ? {}
      : { cache_write_usd_per_million: figures.cacheWriteUsdPerMillion }),
    output_usd_per_million: figures.outputUsdPerMillion,
    ...(row.contextTokens === null ? {} : { context_tokens: row.contextTokens }),
    ...(row.maxOutputTokens === null ? {} : { max_output_tokens: row.maxOutputTokens }),
    ...(row.effectiveFromMs === null ? {} : { effective_from: day(row.effectiveFromMs) }),
  };
}

function versionOf({ vendor, model, effective_from: from }: PriceRow): string {
  return `${vendor}/${model}@${from ?? ''}`;
}

function nameOf({ vendor, model }: CatalogueModel): string {
  return `${vendor}/${model}`;
}

function sameFigures(a: Figures, b: Figures): boolean {
  return (
    a.inputUsdPerMillion === b.inputUsdPerMillion &&
    a.cachedInputUsdPerMillion === b.cachedInputUsdPerMillion &&
    a.cacheWriteUsdPerMillion === b.cacheWriteUsdPerMillion &&
    a.outputUsdPerMillion === b.outputUsdPerMillion
  );
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, DAY_LENGTH);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
