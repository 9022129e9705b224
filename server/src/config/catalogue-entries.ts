/**
 * The entries of the catalogue's two files and the checks on them: from JSON text to entries, or
 * problems that name the entry. Unknown members, double names and impossible figures are all
 * refused.
 */
import { openaiCompatibleSettings } from '../providers/openai/settings.ts';
import { MANNER_MEMBERS, type ModelManner, mannerOf } from './catalogue-manner.ts';
import type { Problem } from './problem.ts';

export type CatalogueOperation = 'chat' | 'completion' | 'embedding';
export type ModelCapability = 'tools' | 'vision' | 'json_schema' | 'reasoning';

export interface Vendor {
  readonly id: string;
  /** The kind of provider that speaks to it; null: known, but not served by this release. */
  readonly kind: string | null;
  readonly baseUrl: string | null;
  readonly apiKeyEnv: string | null;
  /** Named capabilities of its dialect, in the words of the file. */
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly priceList: VendorPriceList;
}

/** Where a published list of prices has the vendor, and what of it is not served there. */
export interface VendorPriceList {
  readonly id: string;
  /** Pattern of names that the vendor sells, but serves elsewhere. */
  readonly without: string | null;
  /** Pattern of names that continue a bare prompt, and do not chat. */
  readonly completions: string | null;
}

export interface Figures {
  readonly inputUsdPerMillion: number;
  readonly cachedInputUsdPerMillion: number;
  /** Input written to the provider's prompt cache; absent: as input. */
  readonly cacheWriteUsdPerMillion?: number;
  readonly outputUsdPerMillion: number;
}

export interface CatalogueModel {
  readonly vendor: string;
  readonly model: string;
  readonly aliases: readonly string[];
  readonly operations: readonly CatalogueOperation[];
  /** All that it can do; empty: nobody says. */
  readonly capabilities: readonly ModelCapability[];
  readonly manner: ModelManner | null;
  readonly figures: Figures;
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Milliseconds since the epoch; null: as long as anyone knows. */
  readonly effectiveFromMs: number | null;
}

export interface Checked<T> {
  readonly entries: readonly T[];
  readonly problems: readonly Problem[];
}

type Entry = Readonly<Record<string, unknown>>;
type Complain = (message: string) => void;

const VENDOR_MEMBERS = new Set([
  'id',
  'kind',
  'base_url',
  'api_key_env',
  'capabilities',
  'price_list',
]);
const PRICE_LIST_MEMBERS = new Set(['id', 'without', 'completions']);
const MODEL_MEMBERS: ReadonlySet<string> = new Set([
  'vendor',
  'model',
  'aliases',
  'operations',
  'capabilities',
  ...MANNER_MEMBERS,
  'input_usd_per_million',
  'cached_input_usd_per_million',
  'cache_write_usd_per_million',
  'output_usd_per_million',
  'context_tokens',
  'max_output_tokens',
  'effective_from',
]);
const OPERATIONS: ReadonlySet<string> = new Set(['chat', 'completion', 'embedding']);
const MODEL_CAPABILITIES: ReadonlySet<string> = new Set<ModelCapability>([
  'tools',
  'vision',
  'json_schema',
  'reasoning',
]);
const DIALECT_CAPABILITIES: ReadonlySet<string> = new Set(
  Object.keys(openaiCompatibleSettings.shape.capabilities.unwrap().shape),
);
const USD_MAX = 1_000_000;
const TOKENS_MAX = 1_000_000_000;
const NO_LIST: readonly string[] = [];

export function checkVendors(text: string | null): Checked<Vendor> {
  const ids = new Set<string>();
  return checkEntries('vendors.json', text, nameOfVendor, (entry, complain) => {
    noOthers(entry, VENDOR_MEMBERS, complain);
    const id = nameMember(entry, 'id', complain);
    if (ids.has(id)) complain('appears twice');
    ids.add(id);
    const capabilities = (entry.capabilities ?? {}) as Record<string, boolean>;
    for (const [name, value] of Object.entries(capabilities)) {
      const known = DIALECT_CAPABILITIES.has(name) && typeof value === 'boolean';
      if (!known) complain(`capabilities.${name} is not one of ${list(DIALECT_CAPABILITIES)}`);
    }
    const baseUrl = textMember(entry, 'base_url', complain);
    if (baseUrl !== null && !/^https?:\/\/[^\s?#]+[^\s?#/]$/.test(baseUrl)) {
      complain('base_url is not an http or https address without a slash at its end');
    }
    const kind = textMember(entry, 'kind', complain);
    return {
      id,
      kind,
      baseUrl,
      apiKeyEnv: textMember(entry, 'api_key_env', complain),
      capabilities,
      priceList: priceListOf(entry, id, complain),
    };
  });
}

/** `file` is what problems name. */
export function checkModels(
  text: string | null,
  vendors: ReadonlySet<string>,
  file = 'models.json',
): Checked<CatalogueModel> {
  const owners = new Map<string, string>();
  const versions = new Set<string>();
  return checkEntries(file, text, nameOfModel, (entry, complain) => {
    noOthers(entry, MODEL_MEMBERS, complain);
    const vendor = nameMember(entry, 'vendor', complain);
    const model = nameMember(entry, 'model', complain);
    if (!vendors.has(vendor))
      complain(`the vendor ${JSON.stringify(vendor)} is not in vendors.json`);
    const aliases = textList(entry, 'aliases', null, complain);
    for (const name of [model, ...aliases]) {
      const owner = owners.get(`${vendor}/${name}`);
      if (owner !== undefined && owner !== model) complain(`${name} also names ${owner}`);
      owners.set(`${vendor}/${name}`, model);
    }
    const version = `${vendor}/${model}@${entry.effective_from ?? ''}`;
    if (versions.has(version)) complain('appears twice with the same effective_from');
    versions.add(version);
    const operations = textList(entry, 'operations', OPERATIONS, complain);
    if (operations.length === 0) complain('operations is empty');
    return {
      vendor,
      model,
      aliases,
      operations: operations as readonly CatalogueOperation[],
      capabilities: textList(
        entry,
        'capabilities',
        MODEL_CAPABILITIES,
        complain,
      ) as readonly ModelCapability[],
      manner: mannerOf(entry, complain),
      figures: figuresOf(entry, complain),
      contextTokens: tokens(entry, 'context_tokens', complain),
      maxOutputTokens: tokens(entry, 'max_output_tokens', complain),
      effectiveFromMs: dateOf(entry, complain),
    };
  });
}

function priceListOf(entry: Entry, vendor: string, complain: Complain): VendorPriceList {
  const list = (entry.price_list ?? {}) as Entry;
  noOthers(list, PRICE_LIST_MEMBERS, complain);
  return {
    id: textMember(list, 'id', complain) ?? vendor,
    without: textMember(list, 'without', complain),
    completions: textMember(list, 'completions', complain),
  };
}

function checkEntries<T>(
  file: string,
  text: string | null,
  nameOf: (entry: Entry) => string,
  check: (entry: Entry, complain: Complain) => T,
): Checked<T> {
  const problems: Problem[] = [];
  const complainAbout = (entry: string) => (message: string) => {
    problems.push({ place: { kind: 'catalogue', file, entry }, path: [], message });
  };
  const items = parseList(text);
  if (items === null) {
    complainAbout('')('is missing, or is not a JSON list');
    return { entries: [], problems };
  }
  const entries = items.map((item, index) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      complainAbout(`entry ${index}`)('is not an object');
      return null;
    }
    const name = nameOf(item as Entry);
    return check(item as Entry, complainAbout(name === '' ? `entry ${index}` : name));
  });
  return { entries: entries.filter((entry) => entry !== null), problems };
}

function parseList(text: string | null): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function nameOfVendor(entry: Entry): string {
  return typeof entry.id === 'string' ? entry.id : '';
}

function nameOfModel(entry: Entry): string {
  return typeof entry.model === 'string' ? `${entry.vendor}/${entry.model}` : '';
}

function noOthers(entry: Entry, members: ReadonlySet<string>, complain: Complain): void {
  for (const name in entry) if (!members.has(name)) complain(`has an unknown member ${name}`);
}

function figuresOf(entry: Entry, complain: Complain): CatalogueModel['figures'] {
  const inputUsdPerMillion = usd(entry, 'input_usd_per_million', complain);
  const cached = entry.cached_input_usd_per_million === undefined;
  return {
    inputUsdPerMillion,
    cachedInputUsdPerMillion: cached
      ? inputUsdPerMillion
      : usd(entry, 'cached_input_usd_per_million', complain),
    ...(entry.cache_write_usd_per_million !== undefined && {
      cacheWriteUsdPerMillion: usd(entry, 'cache_write_usd_per_million', complain),
    }),
    outputUsdPerMillion: usd(entry, 'output_usd_per_million', complain),
  };
}

function usd(entry: Entry, name: string, complain: Complain): number {
  const value = entry[name];
  if (typeof value === 'number' && value >= 0 && value <= USD_MAX) {
    if (Math.abs(value * 1e6 - Math.round(value * 1e6)) < 1e-3) return value;
  }
  complain(`${name} is not a number from 0 to ${USD_MAX} with at most 6 decimals`);
  return 0;
}

function tokens(entry: Entry, name: string, complain: Complain): number | null {
  const value = entry[name];
  if (value === undefined) return null;
  if (Number.isInteger(value) && Number(value) > 0 && Number(value) <= TOKENS_MAX) {
    return Number(value);
  }
  complain(`${name} is not a whole number from 1 to ${TOKENS_MAX}`);
  return null;
}

function dateOf(entry: Entry, complain: Complain): number | null {
  const value = entry.effective_from;
  if (value === undefined) return null;
  const isDate = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
  const ms = isDate ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  complain('effective_from is not a date such as 2026-01-31');
  return null;
}

function nameMember(entry: Entry, name: string, complain: Complain): string {
  if (entry[name] === undefined || entry[name] === null) complain(`${name} is missing`);
  return textMember(entry, name, complain) ?? '';
}

/** The text of a member; null where it is null or left out. */
function textMember(entry: Entry, name: string, complain: Complain): string | null {
  const value = entry[name] ?? null;
  if (value === null) return null;
  if (typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value)) return value;
  complain(`${name} is not text without spaces, of 1 to 256 characters`);
  return null;
}

function textList(
  entry: Entry,
  name: string,
  accepted: ReadonlySet<string> | null,
  complain: Complain,
): readonly string[] {
  const value = entry[name];
  if (value === undefined) return NO_LIST;
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!isList) complain(`${name} is not a list of texts`);
  else if (accepted !== null && !value.every((item) => accepted.has(item))) {
    complain(`${name} has something other than ${list(accepted)}`);
  }
  return isList ? value : NO_LIST;
}

function list(words: ReadonlySet<string>): string {
  return [...words].join(', ');
}
