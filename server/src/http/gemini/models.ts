/**
 * The list of models in Google's shape, in pages, for clients that send Google's header for
 * their key or call below `/v1beta`.
 */
import { GatewayError, type ModelListing } from '../../gateway/index.ts';
import type { ModelShape } from '../model-shape.ts';
import { geminiWriter } from './writer.ts';

const DEFAULT_SIZE = 50;
const MAX_SIZE = 1000;

const CHAT_METHODS = ['generateContent', 'streamGenerateContent', 'countTokens'];
const EMBEDDING_METHODS = ['embedContent', 'batchEmbedContents'];

export const geminiModels: ModelShape = {
  writer: geminiWriter,
  isAsked: (headers) => headers['x-goog-api-key'] !== undefined,
  list(listings, query) {
    const start = startOf(listings, query.pageToken);
    const page = listings.slice(start, start + sizeOf(query.pageSize));
    const last = page.at(-1);
    const isMore = last !== undefined && start + page.length < listings.length;
    return {
      models: page.map(modelOf),
      ...(isMore ? { nextPageToken: tokenOf(last) } : {}),
    };
  },
  one: modelOf,
};

function modelOf({ name, ownedBy, operations }: ModelListing) {
  return {
    name: `models/${name}`,
    baseModelId: name,
    version: '001',
    displayName: name,
    description: `Served by ${ownedBy}.`,
    supportedGenerationMethods: [
      ...(operations.includes('chat') ? CHAT_METHODS : []),
      ...(operations.includes('embedding') ? EMBEDDING_METHODS : []),
    ],
  };
}

/** A size beyond the largest is the largest, as Google has it. */
function sizeOf(value: unknown): number {
  if (value === undefined || value === '0') return DEFAULT_SIZE;
  const size = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (size >= 1) return Math.min(size, MAX_SIZE);
  throw refusal('pageSize', 'a whole number from 1 on');
}

function startOf(listings: readonly ModelListing[], token: unknown): number {
  if (token === undefined || token === '') return 0;
  const last = listings.findIndex((listing) => tokenOf(listing) === token);
  if (last < 0) throw refusal('pageToken', 'the token of the page before');
  return last + 1;
}

/** A page begins behind the model that its token names. */
function tokenOf({ name }: ModelListing): string {
  return Buffer.from(name).toString('base64url');
}

function refusal(field: string, what: string): GatewayError {
  return new GatewayError('invalid_request', { message: `\`${field}\` must be ${what}.`, field });
}
