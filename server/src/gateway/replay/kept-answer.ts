/**
 * A complete answer as bytes, and back: plain, or a stream with its events and its end marker.
 * A stream that is given again comes in one piece.
 */
import type { Answer, FinishReason, PlainAnswer, StreamFrame } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Wire } from '../model/target.ts';

/** What stands before the bytes, as JSON behind its length. */
interface Head {
  readonly dialect: Wire;
  /** null: a stream. */
  readonly contentType: string | null;
  readonly finishReasons: readonly FinishReason[];
  readonly terminalBytes: number;
  readonly provider: string | null;
  readonly providerModel: string | null;
  /** Absent in what was kept before it was said. */
  readonly dropped?: readonly string[];
}

const LENGTH_BYTES = 4;

export function keptPlain(exchange: Exchange, answer: PlainAnswer): Buffer {
  const { dialect, contentType, finishReasons } = answer;
  return kept(exchange, { dialect, contentType, finishReasons, terminalBytes: 0 }, [answer.bytes]);
}

/** `pieces`: the bytes of all frames, without the end marker. */
export function keptStream(
  exchange: Exchange,
  dialect: Wire,
  pieces: readonly Buffer[],
  last: { readonly terminal: Buffer; readonly finishReasons: readonly FinishReason[] },
): Buffer {
  const { terminal, finishReasons } = last;
  const head = { dialect, contentType: null, finishReasons, terminalBytes: terminal.length };
  return kept(exchange, head, [...pieces, terminal]);
}

/** The answer again, and who gave it. */
export function againFrom(bytes: Buffer) {
  const headEnd = LENGTH_BYTES + bytes.readUInt32BE(0);
  const head = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, headEnd)) as Head;
  const { provider, providerModel, dropped = [] } = head;
  return { provider, providerModel, dropped, answer: answerOf(head, bytes.subarray(headEnd)) };
}

function answerOf(head: Head, content: Buffer): Answer {
  const { dialect, contentType, finishReasons, terminalBytes } = head;
  if (contentType !== null) {
    const known = { dialect, contentType, finishReasons };
    return { kind: 'plain', ...known, bytes: content, body: null, usage: null };
  }
  const end = content.length - terminalBytes;
  return { kind: 'stream', dialect, frames: framesOf(content, end, finishReasons) };
}

async function* framesOf(
  content: Buffer,
  end: number,
  finishReasons: readonly FinishReason[],
): AsyncGenerator<StreamFrame> {
  const nothing = { producedCharacters: 0, usage: null };
  yield { ...nothing, bytes: content.subarray(0, end), terminal: null, finishReasons: [] };
  const terminal = content.subarray(end);
  yield { ...nothing, bytes: Buffer.alloc(0), terminal, finishReasons };
}

function kept(
  { provider, providerModel, dropped }: Exchange,
  head: Omit<Head, 'provider' | 'providerModel' | 'dropped'>,
  content: readonly Buffer[],
): Buffer {
  const text = Buffer.from(JSON.stringify({ ...head, provider, providerModel, dropped }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, ...content]);
}
