/**
 * What the reference is made of and what it is kept as.
 */
import type { RouteOptions } from 'fastify';

/** A route as it is described; another part of the program may serve it. */
export type DocumentedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema' | 'config'>;

export interface StoredDocument {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Compressed by gzip. */
  readonly body: Buffer;
}
