/**
 * Turns the events of a good answer into those of a bad day: cut, reset, silent, garbled, or
 * with an error inside, after as many events as the script says.
 */
import type { MockScript } from './model-script.ts';

export type MockPiece =
  | { readonly kind: 'bytes'; readonly afterMs: number; readonly bytes: Buffer }
  /** The connection breaks. */
  | { readonly kind: 'reset' }
  /** Nothing more comes, and the connection stays open. */
  | { readonly kind: 'stall' };

export type FaultKind = 'cut' | 'reset' | 'stall' | 'garble' | 'error';

export interface BodyFault {
  readonly kind: FaultKind;
  readonly afterEvents: number;
}

const KINDS: readonly FaultKind[] = ['cut', 'reset', 'stall', 'garble', 'error'];

/** The fault within the body that a script names; the first of the table where several are. */
export function bodyFault(script: MockScript): BodyFault | null {
  for (const kind of KINDS) {
    const afterEvents = script[kind];
    if (afterEvents !== null) return { kind, afterEvents };
  }
  return null;
}

/** The events, as far as the fault lets them through, each with the wait before it. */
export function* faultyStream(
  events: Iterable<string>,
  fault: BodyFault | null,
  errorText: string,
  waitMs: (event: string, index: number) => number,
): Generator<MockPiece> {
  let index = 0;
  for (const text of events) {
    const left = fault === null ? 1 : fault.afterEvents - index;
    const afterMs = waitMs(text, index);
    index += 1;
    if (fault === null || left >= 1 || (fault.kind === 'garble' && left < 0)) {
      yield piece(text, afterMs);
      continue;
    }
    if (fault.kind === 'garble') {
      yield piece(`${text.slice(0, Math.floor(text.length / 2))}\n\n`, afterMs);
      continue;
    }
    if (fault.kind === 'error') {
      yield piece(`data: ${errorText}\n\n`, afterMs);
      return;
    }
    if (left > 0) yield piece(text.slice(0, Math.floor(text.length * left)), afterMs);
    if (fault.kind !== 'cut') yield { kind: fault.kind };
    return;
  }
}

/** A plain answer has one piece: a fault strikes in its middle, whatever the number of events. */
export function* faultyBody(
  text: string,
  fault: BodyFault | null,
  errorText: string,
): Generator<MockPiece> {
  if (fault === null) yield piece(text, 0);
  else if (fault.kind === 'error') yield piece(errorText, 0);
  else {
    yield piece(text.slice(0, Math.floor(text.length / 2)), 0);
    if (fault.kind === 'reset' || fault.kind === 'stall') yield { kind: fault.kind };
  }
}

function piece(text: string, afterMs: number): MockPiece {
  return { kind: 'bytes', afterMs, bytes: Buffer.from(text) };
}
