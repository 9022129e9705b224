/**
 * The place of an exchange in a trace, and the `traceparent` by which programs tell each other
 * of it (W3C Trace Context).
 *
 * Invariant: identifiers are lower-case hexadecimal, 32 digits for a trace and 16 for a span,
 * and never all zero. A `traceparent` that is anything else, or sent twice, does not count: the
 * request then begins a trace of its own. `tracestate` belongs to others and is not taken over.
 */

export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whoever called records this trace. */
  readonly sampled: boolean;
}

/** Present on exchanges where traces are exported; whether this one is, is `sampled`. */
export interface Trace {
  readonly traceId: string;
  /** Of the exchange itself. */
  readonly spanId: string;
  /** What the exchange is part of; null: it begins the trace. */
  readonly parent: { readonly spanId: string; readonly isRemote: boolean } | null;
  readonly sampled: boolean;
  /** For something done within the exchange. */
  newSpanId(): string;
  /** For an exchange that this one set off. */
  child(): Trace;
}

const HEADER = 'traceparent';
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Of headers as they came in, names and values in turn; null where there is no good one. */
export function readTraceParent(raw: readonly string[]): TraceParent | null {
  let sent: string | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== HEADER.length || name.toLowerCase() !== HEADER) continue;
    if (sent !== null) return null;
    sent = raw[i + 1] as string;
  }
  return sent === null ? null : parse(sent);
}

export function writeTraceParent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Of later versions only the beginning is known, and that is enough. */
function parse(text: string): TraceParent | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = parts;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (isZero(traceId) || isZero(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

function isZero(digits: string): boolean {
  return /^0+$/.test(digits);
}
