/**
 * What the routes that list models need to know of a dialect; one folder per dialect gives it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ModelListing } from '../gateway/index.ts';
import type { DialectWriter } from './endpoint.ts';

/** How a dialect lists models, and says what went wrong in doing so. */
export interface ModelShape {
  readonly writer: DialectWriter;
  /** True where the headers are those of the dialect's clients. */
  isAsked(headers: IncomingHttpHeaders): boolean;
  list(listings: readonly ModelListing[], query: Readonly<Record<string, unknown>>): object;
  one(listing: ModelListing): object;
}
