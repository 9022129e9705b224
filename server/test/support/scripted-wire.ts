/**
 * What scripted servers of other wires share: the mock is asked in the words of a chat, and each
 * piece of its answer, faults included, is said anew in the words of the wire.
 */
import type { MockPiece } from '../../src/providers/mock/faults.ts';
import type { MockResponse } from '../../src/providers/mock/mock-provider.ts';

/** Any body of any wire; each access is checked. */
export type Json = ReturnType<typeof JSON.parse>;

/** One answer of a wire, as its events are written. */
export interface EventsOf {
  take(chunk: Json): string;
  end(): string;
  error(body: Json): string;
  /** An event cut within it, and one that holds no JSON. */
  torn(data: string): string;
  garbled(data: string): string;
}

export function wholeAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): MockResponse {
  const bytes = Buffer.from(text);
  return { headDelayMs: 0, status, headers, pieces: [{ kind: 'bytes', afterMs: 0, bytes }] };
}

/** A body that is whole is said anew; a broken one stays as broken as it is. */
export function saidPlain(answer: MockResponse, encode: (body: Json) => string): MockResponse {
  const pieces = [...answer.pieces];
  const text = pieces
    .map((piece) => (piece.kind === 'bytes' ? piece.bytes.toString() : ''))
    .join('');
  let said: string;
  try {
    said = encode(JSON.parse(text));
  } catch {
    said = text;
  }
  const rest = pieces.filter(({ kind }) => kind !== 'bytes');
  return { ...answer, pieces: [{ kind: 'bytes', afterMs: 0, bytes: Buffer.from(said) }, ...rest] };
}

export function saidInEvents(answer: MockResponse, events: EventsOf): MockResponse {
  return { ...answer, pieces: eventPieces(answer.pieces, events) };
}

function* eventPieces(pieces: Iterable<MockPiece>, events: EventsOf): Generator<MockPiece> {
  for (const piece of pieces) {
    if (piece.kind !== 'bytes') {
      yield piece;
      continue;
    }
    const text = said(piece.bytes.toString(), events);
    if (text !== '') yield { ...piece, bytes: Buffer.from(text) };
  }
}

function said(text: string, events: EventsOf): string {
  const data = text.startsWith('data: ') ? text.slice('data: '.length) : text;
  if (data.trim() === '[DONE]') return events.end();
  if (!text.endsWith('\n\n')) return events.torn(data);
  let chunk: Json;
  try {
    chunk = JSON.parse(data);
  } catch {
    return events.garbled(data.trim());
  }
  return chunk.error === undefined ? events.take(chunk) : events.error(chunk);
}
