/**
 * What a provider is told beside the request itself, so that its log can be read with ours: the
 * correlation id, and the trace the client is part of. Nothing else of the client's headers
 * ever goes out.
 */
import type { Exchange } from '../model/exchange.ts';
import type { UpstreamRequest } from '../ports/upstream.ts';

const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A broken `traceparent` is left out, as its specification has it. */
export function passedOn(
  exchange: Pick<Exchange, 'correlationId' | 'headers'>,
  request: UpstreamRequest,
): UpstreamRequest {
  const headers: Record<string, string> = { ...request.headers };
  headers['x-correlation-id'] = exchange.correlationId;
  const trace = traceParentOf(exchange.headers);
  if (trace !== null) headers.traceparent = trace;
  return { ...request, headers };
}

function traceParentOf(raw: Exchange['headers']): string | null {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if ((raw[i] as string).toLowerCase() !== 'traceparent') continue;
    const value = raw[i + 1] as string;
    return TRACE_PARENT.test(value) ? value : null;
  }
  return null;
}
