/**
 * What the edge needs to know of an endpoint that runs models: how to read its request, and
 * how its dialect writes errors, stream errors and comments. One folder per dialect provides
 * them; the rest of the edge never asks which dialect it serves.
 */
import type { IncomingMessage } from 'node:http';
import type {
  CacheControl,
  Dialect,
  GatewayError,
  InferenceRequest,
  Operation,
} from '../gateway/index.ts';
import type { ParsedBody } from './parse-body.ts';

export interface DialectWriter {
  readonly dialect: Dialect;
  /** The dialect's own header for the id of a request, beside `x-request-id`. */
  readonly requestIdHeader?: string;
  error(error: GatewayError, requestId: string): Buffer;
  /**
   * The event that ends a broken stream legally; `sequence` is its number, where the dialect
   * numbers its events.
   */
  errorFrame(error: GatewayError, requestId: string, sequence: number): Buffer;
  /** What clients skip, put before the end of a stream; empty where the form has no such thing. */
  comment(request: InferenceRequest, text: string): Buffer;
  /** Content type of the stream that answers this request. */
  streamContentType(request: InferenceRequest): string;
}

export interface InferenceEndpoint {
  readonly path: string;
  /** The path without what a client chose in it; absent where the path is such itself. */
  readonly template?: string;
  readonly operation: Operation;
  readonly writer: DialectWriter;
  /**
   * Throws `invalid_request` naming the field; keeps what it does not know. Headers are put
   * together when they are first looked at, which most dialects need not do.
   */
  decode(
    parsed: ParsedBody,
    cacheControl: CacheControl,
    request: Pick<IncomingMessage, 'headers'>,
    birth: RequestBirth,
  ): InferenceRequest;
}

/** What is known of a request before it is read. */
export interface RequestBirth {
  readonly id: string;
  readonly createdAtMs: number;
}

/** Endpoints whose paths hold the model; asked only where no endpoint has the very path. */
export interface EndpointFamily {
  /** Writes what goes wrong at a path that the dialect owns and no endpoint serves. */
  readonly writer: DialectWriter;
  owns(path: string): boolean;
  /** The endpoint that a POST to this path runs, bound to the model that the path names. */
  find(path: string, query: string): InferenceEndpoint | undefined;
}
