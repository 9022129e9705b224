/**
 * The list of models in Anthropic's shape, in pages, for clients that send the version of its
 * wire.
 */
import { GatewayError, type ModelListing } from '../../gateway/index.ts';
import type { ModelShape } from '../model-shape.ts';
import { anthropicWriter } from './writer.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

export const anthropicModels: ModelShape = {
  writer: anthropicWriter,
  isAsked: (headers) => headers['anthropic-version'] !== undefined,
  list(listings, query) {
    const limit = limitOf(query.limit);
    const before = placeOf(listings, 'before_id', query.before_id);
    const after = placeOf(listings, 'after_id', query.after_id);
    const end = before ?? listings.length;
    const start = after === null ? 0 : after + 1;
    const page =
      before === null
        ? listings.slice(start, start + limit)
        : listings.slice(Math.max(start, end - limit), end);
    const left = end - start - page.length;
    return {
      data: page.map(modelOf),
      has_more: left > 0,
      first_id: page[0]?.name ?? null,
      last_id: page.at(-1)?.name ?? null,
    };
  },
  one: modelOf,
};

function modelOf(listing: ModelListing) {
  return {
    type: 'model',
    id: listing.name,
    display_name: listing.name,
    created_at: new Date(listing.createdSeconds * 1000).toISOString(),
    lifecycle: 'active',
    line: null,
    capabilities: null,
    max_input_tokens: null,
    max_tokens: null,
    deprecated_at: null,
    retires_at: null,
  };
}

function limitOf(value: unknown): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw refusal('limit', `a whole number from 1 to ${MAX_LIMIT}`);
}

/** The place of the model that a page begins behind, or ends before; null where none is named. */
function placeOf(listings: readonly ModelListing[], field: string, value: unknown): number | null {
  if (value === undefined) return null;
  const place = listings.findIndex(({ name }) => name === value);
  if (place < 0) throw refusal(field, 'the id of a model on the list');
  return place;
}

function refusal(field: string, what: string): GatewayError {
  return new GatewayError('invalid_request', { message: `\`${field}\` must be ${what}.`, field });
}
