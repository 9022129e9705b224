/**
 * Where each request stands in a trace: below the span its client named, or at the top of a
 * trace of its own, and whether it is recorded.
 *
 * Invariant: a trace that is recorded is so in every process that has the same share, because
 * the decision is taken from the digits of its identifier (parent-based, by ratio).
 */
import { readTraceParent, type Trace, type TraceParent } from '../../gateway/model/trace.ts';
import type { Random } from '../../kernel/random.ts';

export interface Sampling {
  /** The share of traces that is recorded, 0 to 1. */
  readonly sampleRatio: number;
  /** A caller that says whether its trace is recorded has decided for us. */
  readonly followParent: boolean;
}

export interface Tracer {
  /** Of a request with these headers. */
  open(headers: readonly string[]): Trace;
}

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** As many of a trace identifier's last digits as a double holds exactly. */
const DECIDING_DIGITS = 13;
const DECIDING_RANGE = 16 ** DECIDING_DIGITS;

export function createTracer(random: Random, sampling: () => Sampling): Tracer {
  const newSpanId = (): string => identifier(random, SPAN_BYTES);

  function trace(traceId: string, parent: Trace['parent'], sampled: boolean): Trace {
    const spanId = newSpanId();
    const child = (): Trace => trace(traceId, { spanId, isRemote: false }, sampled);
    return { traceId, spanId, parent, sampled, newSpanId, child };
  }

  return {
    open(headers) {
      const sent = readTraceParent(headers);
      const traceId = sent?.traceId ?? identifier(random, TRACE_BYTES);
      const parent = sent === null ? null : { spanId: sent.spanId, isRemote: true };
      return trace(traceId, parent, isSampled(traceId, sent, sampling()));
    },
  };
}

function isSampled(traceId: string, sent: TraceParent | null, by: Sampling): boolean {
  if (sent !== null && by.followParent) return sent.sampled;
  return Number.parseInt(traceId.slice(-DECIDING_DIGITS), 16) < by.sampleRatio * DECIDING_RANGE;
}

/** Zero is no identifier; it comes as often as any other number. */
function identifier(random: Random, bytes: number): string {
  const digits = Buffer.from(random.bytes(bytes)).toString('hex');
  return /[^0]/.test(digits) ? digits : `${digits.slice(1)}1`;
}
