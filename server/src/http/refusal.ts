/**
 * An error answer outside the pipeline: no exchange was opened, because no endpoint that runs
 * models was reached.
 */
import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../gateway/index.ts';
import { retryHeaders } from './answer-headers.ts';
import type { DialectWriter } from './endpoint.ts';

export interface RequestIds {
  readonly requestId: string;
  readonly correlationId: string;
  /** Where traces are made. */
  readonly traceId?: string;
}

/** The template of paths that no route serves. */
export const UNMATCHED = 'unmatched';

export function writeRefusal(
  response: ServerResponse,
  writer: DialectWriter,
  error: GatewayError,
  { requestId, correlationId }: RequestIds,
  extraHeaders: readonly string[] = [],
): void {
  const body = writer.error(error, requestId);
  response.writeHead(error.status, [
    'x-request-id',
    requestId,
    'x-correlation-id',
    correlationId,
    ...(writer.requestIdHeader === undefined ? [] : [writer.requestIdHeader, requestId]),
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    ...retryHeaders(error),
    ...extraHeaders,
  ]);
  response.end(body);
}
