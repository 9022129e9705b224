/**
 * A list of prices as `@pydantic/genai-prices` publishes it, as rows of the catalogue.
 *
 * A model's price is one figure per kind of token: where the list has prices by size of the
 * prompt the first is taken, where it has prices by time of day the dearest. Models that are
 * not priced by text tokens, and fine-tuned ones, are not rows.
 */
import type { Vendor } from './catalogue-entries.ts';
import type { MannerRow } from './catalogue-manner.ts';

/** One entry of `models.json`. */
export interface PriceRow extends MannerRow {
  readonly vendor: string;
  readonly model: string;
  readonly aliases?: readonly string[];
  readonly operations: readonly string[];
  readonly capabilities?: readonly string[];
  readonly input_usd_per_million: number;
  readonly cached_input_usd_per_million?: number;
  readonly cache_write_usd_per_million?: number;
  readonly output_usd_per_million: number;
  readonly context_tokens?: number;
  readonly max_output_tokens?: number;
  readonly effective_from?: string;
}

export interface ListedProvider {
  readonly id: string;
  readonly models: readonly ListedModel[];
}

interface ListedModel {
  readonly id: string;
  readonly match: Match;
  readonly prices: Prices | readonly DatedPrices[];
  readonly context_window?: number;
}

interface Match {
  readonly or?: readonly Match[];
  readonly equals?: string;
}

interface DatedPrices {
  readonly constraint?: { readonly type?: string; readonly start_date?: string };
  readonly prices: Prices;
}

type Prices = Readonly<Record<string, number | { readonly base: number } | undefined>>;
type RowFigures = Pick<
  PriceRow,
  | 'input_usd_per_million'
  | 'cached_input_usd_per_million'
  | 'cache_write_usd_per_million'
  | 'output_usd_per_million'
>;

const NOT_TEXT =
  /audio|image|realtime|transcri|tts|voice|whisper|voxtral|ocr|moderation|computer-use/;
const FINE_TUNED = /^ft:|\.ft-/;
const NAME_FORM = /^[\x21-\x7e]{1,256}$/;
const DECIMALS = 6;

/** True for a list of providers, rather than of the catalogue's own rows. */
export function isPriceList(value: unknown): value is readonly ListedProvider[] {
  if (!Array.isArray(value)) return false;
  return value.every((item) => typeof item?.id === 'string' && Array.isArray(item.models));
}

/** Rows of the vendors that the catalogue knows; a model's prices in the order of their dates. */
export function rowsOfPriceList(
  providers: readonly ListedProvider[],
  vendors: readonly Vendor[],
): PriceRow[] {
  return vendors.flatMap((vendor) => {
    const listed = providers.find(({ id }) => id === vendor.priceList.id);
    return listed === undefined ? [] : rowsOf(vendor, listed);
  });
}

function rowsOf({ id: vendor, priceList }: Vendor, { models: listed }: ListedProvider): PriceRow[] {
  const without = priceList.without === null ? null : new RegExp(priceList.without);
  const models = listed.filter(
    ({ id }) =>
      NAME_FORM.test(id) && !NOT_TEXT.test(id) && !FINE_TUNED.test(id) && !without?.test(id),
  );
  const completions = priceList.completions === null ? null : new RegExp(priceList.completions);
  const taken = new Set(models.map(({ id }) => id));
  return models.flatMap((model) => {
    const aliases = exactNames(model.match).filter((name) => {
      const isFree = !taken.has(name) && NAME_FORM.test(name);
      taken.add(name);
      return isFree;
    });
    return versionsOf(model).map(({ from, figures }) => ({
      vendor,
      model: model.id,
      ...(aliases.length > 0 ? { aliases } : {}),
      operations: [operationOf(model.id, completions)],
      ...figures,
      ...(model.context_window === undefined ? {} : { context_tokens: model.context_window }),
      ...(from === undefined ? {} : { effective_from: from }),
    }));
  });
}

function operationOf(model: string, completions: RegExp | null): string {
  if (model.includes('embed')) return 'embedding';
  return completions?.test(model) === true ? 'completion' : 'chat';
}

function exactNames({ or, equals }: Match): readonly string[] {
  if (or !== undefined) return or.flatMap(exactNames);
  return equals === undefined ? [] : [equals];
}

interface Version {
  readonly from: string | undefined;
  figures: RowFigures;
}

function versionsOf({ prices }: ListedModel): Version[] {
  const listed = Array.isArray(prices) ? (prices as readonly DatedPrices[]) : [{ prices }];
  const versions: Version[] = [];
  for (const entry of listed as readonly DatedPrices[]) {
    const figures = figuresOf(entry.prices);
    const last = versions.at(-1);
    if (figures === null) continue;
    const from = entry.constraint?.start_date;
    if (from !== undefined || last === undefined) {
      versions.push({ from, figures });
    } else if (figures.output_usd_per_million > last.figures.output_usd_per_million) {
      last.figures = figures;
    }
  }
  return versions;
}

/** null where the model is not priced by tokens. */
function figuresOf(prices: Prices): RowFigures | null {
  const input = figureOf(prices.input_mtok);
  if (input === undefined) return null;
  const cached = figureOf(prices.cache_read_mtok);
  const written = figureOf(prices.cache_write_mtok);
  return {
    input_usd_per_million: input,
    ...(cached === undefined ? {} : { cached_input_usd_per_million: cached }),
    ...(written === undefined ? {} : { cache_write_usd_per_million: written }),
    output_usd_per_million: figureOf(prices.output_mtok) ?? 0,
  };
}

function figureOf(price: Prices[string]): number | undefined {
  const figure = typeof price === 'object' ? price.base : price;
  return figure === undefined ? undefined : Number(figure.toFixed(DECIMALS));
}
