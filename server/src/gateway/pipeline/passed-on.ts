/**
 * What a provider is told beside the request itself, so that its log can be read with ours: the
 * correlation id, and where the call stands in a trace. Nothing else of the client's headers
 * ever goes out.
 */
import type { Attempt, Exchange } from '../model/exchange.ts';
import { readTraceParent, writeTraceParent } from '../model/trace.ts';
import type { UpstreamRequest } from '../ports/upstream.ts';

export type Told = Pick<Exchange, 'correlationId' | 'headers' | 'trace'>;

/** A broken `traceparent` is left out, as its specification has it. */
export function passedOn(
  exchange: Told,
  { spanId }: Pick<Attempt, 'spanId'>,
  passesTrace: boolean,
  request: UpstreamRequest,
): UpstreamRequest {
  const headers: Record<string, string> = { ...request.headers };
  headers['x-correlation-id'] = exchange.correlationId;
  const trace = passesTrace ? traceParentOf(exchange, spanId) : null;
  if (trace !== null) headers.traceparent = trace;
  return { ...request, headers };
}

/** Ours where we make traces, so that the provider's part hangs below the attempt. */
function traceParentOf({ trace, headers }: Told, spanId: string | null): string | null {
  if (trace !== null && spanId !== null) {
    return writeTraceParent({ traceId: trace.traceId, spanId, sampled: trace.sampled });
  }
  const sent = readTraceParent(headers);
  return sent === null ? null : writeTraceParent(sent);
}
