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

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
/** Drawn at once: a draw costs the same, however little it is for. */
const DRAWN_BYTES = 1024;
/** As many of a trace identifier's last digits as a double holds exactly. */
const DECIDING_DIGITS = 13;
const DECIDING_RANGE = 16 ** DECIDING_DIGITS;

export function createTracer(random: Random, sampling: () => Sampling): Tracer {
  const draw = identifiers(random);
  const newSpanId = (): string => draw(SPAN_DIGITS);

  function trace(traceId: string, parent: Trace['parent'], sampled: boolean): Trace {
    const spanId = newSpanId();
    const child = (): Trace => trace(traceId, { spanId, isRemote: false }, sampled);
    return { traceId, spanId, parent, sampled, newSpanId, child };
  }

  return {
    open(headers) {
      const sent = readTraceParent(headers);
      const traceId = sent?.traceId ?? draw(TRACE_DIGITS);
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
function identifiers(random: Random): (digits: number) => string {
  let drawn = '';
  return (digits) => {
    if (drawn.length < digits) drawn = Buffer.from(random.bytes(DRAWN_BYTES)).toString('hex');
    const taken = drawn.slice(0, digits);
    drawn = drawn.slice(digits);
    return /[^0]/.test(taken) ? taken : `${taken.slice(1)}1`;
  };
}
