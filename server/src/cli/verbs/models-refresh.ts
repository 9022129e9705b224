/** `esclusa models refresh` */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  addOwnRows,
  type CatalogueModel,
  comparePrices,
  ownRowsFile,
  type PriceChange,
  readPriceList,
} from '../../config/index.ts';
import { badOption, textOption, type VerbContext, writeJson, writeLine } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { writeTable } from '../table.ts';

const DAY_LENGTH = 10;

export async function run(context: VerbContext): Promise<undefined> {
  const { say } = context;
  const from = textOption(context, 'from');
  if (from === undefined) throw badOption(context, 'from', say.refresh.needsFile);
  const { loaded, catalogue } = await context.installation.configuration();
  const list = readPriceList(await textOf(context, from), from, catalogue);
  const changes = comparePrices(catalogue, list, context.nowMs());
  const added = changes.filter(({ after }) => after !== null);
  const file = ownRowsFile(loaded.config.dataDir);
  const isApplied = context.options.apply === true && added.length > 0;
  if (isApplied) await replace(file, (text) => addOwnRows(text, changes));
  if (context.isJson) {
    writeJson(context, { file, is_applied: isApplied, changes: changes.map(toJson) });
    return;
  }
  if (changes.length === 0) {
    writeLine(context, say.refresh.same);
    return;
  }
  showTable(context, changes);
  if (added.length === 0) writeLine(context, say.refresh.same);
  else
    writeLine(
      context,
      isApplied ? say.refresh.applied(added.length, file) : say.refresh.notApplied,
    );
}

async function textOf({ say }: VerbContext, file: string): Promise<string> {
  const text = await readOrNull(file);
  if (text === null) throw new CliFailure(say.refresh.unreadable(file));
  return text;
}

/** The file is whole at every moment, the old one or the new. */
async function replace(file: string, change: (text: string | null) => string): Promise<void> {
  const text = change(await readOrNull(file));
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** null where there is no such file; one that cannot be read is not taken for none. */
async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function showTable({ say, terminal }: VerbContext, changes: readonly PriceChange[]): void {
  const { columns } = say;
  writeTable(
    terminal,
    [
      { title: columns.change, value: ({ kind }) => say.refresh.kinds[kind] },
      { title: columns.model, value: ({ vendor, model }) => `${vendor}/${model}` },
      { title: columns.before, value: ({ before }) => pricesOf(before) },
      { title: columns.after, value: ({ after }) => pricesOf(after) },
      { title: columns.from, value: ({ after }) => dayOf(after) ?? '' },
    ],
    changes,
  );
}

function pricesOf(row: CatalogueModel | null): string {
  if (row === null) return '';
  const { inputUsdPerMillion, cachedInputUsdPerMillion, outputUsdPerMillion } = row.figures;
  return `${inputUsdPerMillion} / ${cachedInputUsdPerMillion} / ${outputUsdPerMillion}`;
}

function dayOf(row: CatalogueModel | null): string | null {
  const from = row?.effectiveFromMs ?? null;
  return from === null ? null : new Date(from).toISOString().slice(0, DAY_LENGTH);
}

function toJson({ kind, vendor, model, before, after }: PriceChange) {
  return { kind, vendor, model, before: factsOf(before), after: factsOf(after) };
}

function factsOf(row: CatalogueModel | null) {
  if (row === null) return null;
  return {
    input_usd_per_million: row.figures.inputUsdPerMillion,
    cached_input_usd_per_million: row.figures.cachedInputUsdPerMillion,
    cache_write_usd_per_million: row.figures.cacheWriteUsdPerMillion ?? null,
    output_usd_per_million: row.figures.outputUsdPerMillion,
    context_tokens: row.contextTokens,
    max_output_tokens: row.maxOutputTokens,
    effective_from: dayOf(row),
  };
}
