/**
 * `node scripts/catalogue.mjs [--write]`: brings `server/catalogue/models.json` in line with the
 * prices of `@pydantic/genai-prices`. Shows the difference; writes only with `--write`.
 *
 * 1. Only prices, context sizes and new models come from there. What is kept by hand in the file
 *    (largest answers, capabilities, manners, further aliases, rows of other vendors) stays.
 * 2. A changed price is a new row with the date of the run; the old row remains as history.
 * 3. A model's price is one figure per kind of token. Where the source has prices by size of the
 *    prompt the first is taken; where it has prices by time of day, the dearest.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProvider } from '@pydantic/genai-prices';
import { loadCatalogue, systemFiles } from '../server/src/config/index.ts';
import { rowsOfPriceList } from '../server/src/config/price-list.ts';

/**
 * @typedef {import('../server/src/config/price-list.ts').ListedProvider} ListedProvider
 * @typedef {{ input_usd_per_million: number, cached_input_usd_per_million?: number,
 *   cache_write_usd_per_million?: number,
 *   output_usd_per_million: number }} Figures
 * @typedef {Figures & { vendor: string, model: string, aliases?: string[], operations: string[],
 *   capabilities?: string[], reasoning?: string, structured_output?: string,
 *   context_tokens?: number, max_output_tokens?: number,
 *   effective_from?: string }} Row
 */

const file = fileURLToPath(new URL('../server/catalogue/models.json', import.meta.url));

const rowWidth = 160;

/**
 * @param {readonly Row[]} kept
 * @param {readonly Row[]} seeded
 * @param {string} today
 * @returns {{ rows: Row[], changes: string[] }}
 */
function merge(kept, seeded, today) {
  const rows = kept.map((row) => ({ ...row }));
  /** @type {string[]} */
  const changes = [];
  const byName = Map.groupBy(seeded, nameOf);
  for (const [name, versions] of byName) {
    const history = rows.filter((row) => nameOf(row) === name);
    const latest = newest(history);
    const wanted = newest(versions);
    if (latest === undefined || wanted === undefined) {
      for (const row of versions) {
        changes.push(
          `+ ${name}${row.effective_from ? ` from ${row.effective_from}` : ''}  ${show(row)}`,
        );
        rows.push(row);
      }
      continue;
    }
    for (const row of history) changes.push(...update(row, wanted));
    if (show(latest) === show(wanted)) continue;
    const isDated = history.every((row) => row.effective_from !== wanted.effective_from);
    const from = isDated ? wanted.effective_from : today;
    changes.push(`~ ${name} from ${from}  ${show(latest)} → ${show(wanted)}`);
    const sameDay = rows.findIndex((row) => nameOf(row) === name && row.effective_from === from);
    if (sameDay >= 0) rows.splice(sameDay, 1);
    rows.push({ ...wanted, ...handKept(latest), ...(from ? { effective_from: from } : {}) });
  }
  const sources = new Set(seeded.map(({ vendor }) => vendor));
  for (const name of new Set(kept.filter(({ vendor }) => sources.has(vendor)).map(nameOf))) {
    if (!byName.has(name)) changes.push(`? ${name} is no longer in the price data; kept`);
  }
  return { rows: rows.sort(inOrder), changes };
}

/** @param {Row} row */
function nameOf({ vendor, model }) {
  return `${vendor}/${model}`;
}

/**
 * Names, context size and a price that was not known before are facts of the model, whatever
 * its price.
 *
 * @param {Row} old
 * @param {Row} row
 */
function update(old, row) {
  const changes = [];
  const aliases = [...new Set([...(old.aliases ?? []), ...(row.aliases ?? [])])];
  if (aliases.length !== (old.aliases ?? []).length) {
    changes.push(`~ ${nameOf(old)}  aliases ${aliases.join(', ')}`);
    old.aliases = aliases;
  }
  const written = row.cache_write_usd_per_million;
  if (written !== undefined && old.cache_write_usd_per_million === undefined) {
    changes.push(`~ ${nameOf(old)}  writing to the prompt cache costs ${written}`);
    old.cache_write_usd_per_million = written;
  }
  if (row.context_tokens !== undefined && row.context_tokens !== old.context_tokens) {
    const before = old.context_tokens ?? 'unknown';
    changes.push(`~ ${nameOf(old)}  context ${before} → ${row.context_tokens}`);
    old.context_tokens = row.context_tokens;
  }
  return changes;
}

/** @param {readonly Row[]} history */
function newest(history) {
  return history.toSorted((a, b) => compare(a.effective_from ?? '', b.effective_from ?? '')).at(-1);
}

/** @param {Row | undefined} row */
function handKept(row) {
  return {
    ...(row?.aliases === undefined ? {} : { aliases: row.aliases }),
    ...(row?.capabilities === undefined ? {} : { capabilities: row.capabilities }),
    ...(row?.reasoning === undefined ? {} : { reasoning: row.reasoning }),
    ...(row?.structured_output === undefined ? {} : { structured_output: row.structured_output }),
    ...(row?.max_output_tokens === undefined ? {} : { max_output_tokens: row.max_output_tokens }),
  };
}

/** @param {Row} row */
function show({ input_usd_per_million: input, output_usd_per_million: output, ...row }) {
  return `${input} / ${row.cached_input_usd_per_million ?? input} / ${output}`;
}

/**
 * @param {Row} a
 * @param {Row} b
 */
function inOrder(a, b) {
  return (
    compare(a.vendor, b.vendor) ||
    compare(a.model, b.model) ||
    compare(a.effective_from ?? '', b.effective_from ?? '')
  );
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

/**
 * One row per line, so that a difference in prices reads like one.
 *
 * @param {Row} row
 */
function format(row) {
  const members = [
    ...['vendor', 'model', 'aliases', 'operations', 'capabilities', 'reasoning'],
    ...['structured_output', 'input_usd_per_million', 'cached_input_usd_per_million'],
    ...['cache_write_usd_per_million', 'output_usd_per_million'],
    'context_tokens',
    ...['max_output_tokens', 'effective_from'],
  ].flatMap((name) => {
    const value = row[/** @type {keyof Row} */ (name)];
    return value === undefined ? [] : [`${JSON.stringify(name)}: ${JSON.stringify(value)}`];
  });
  let line = '  {';
  let text = '';
  for (const [index, member] of members.entries()) {
    const part = ` ${member}${index === members.length - 1 ? ' }' : ','}`;
    if (line.length + part.length > rowWidth) {
      text += `${line}\n`;
      line = '   ';
    }
    line += part;
  }
  return text + line;
}

const kept = /** @type {Row[]} */ (JSON.parse(readFileSync(file, 'utf8')));
const { vendors } = await loadCatalogue(systemFiles);
const listed = vendors.flatMap(({ priceList }) => {
  const provider = findProvider({ providerId: priceList.id });
  return provider === undefined ? [] : [/** @type {ListedProvider} */ (provider)];
});
const seeded = /** @type {Row[]} */ (/** @type {unknown} */ (rowsOfPriceList(listed, vendors)));
const { rows, changes } = merge(kept, seeded, new Date().toISOString().slice(0, 10));
for (const change of changes) console.log(change);
console.log(`${rows.length} rows, ${changes.length} differences`);
if (process.argv.includes('--write')) {
  writeFileSync(file, `[\n${rows.map(format).join(',\n')}\n]\n`);
  console.log('written to server/catalogue/models.json');
} else if (changes.length > 0) {
  console.log('nothing written; add --write to do so');
}
