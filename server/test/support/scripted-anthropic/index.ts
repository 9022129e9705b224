/**
 * A server of Anthropic's API over real sockets: the scripted upstream, whose mock is asked in
 * OpenAI's words and whose answers, faults included, are said in Anthropic's. It is as strict as
 * the real one about what it takes.
 */
import type { MockPiece } from '../../../src/providers/mock/faults.ts';
import type { MockRequest, MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { checkRequest, type Json } from './check-request.ts';
import { EventWriter, errorText, event, messageText } from './from-mock.ts';
import { toMockBody } from './to-mock.ts';

export const ANTHROPIC_KEY = 'sk-ant-upstream-0123456789abcdef';
/** What every count of tokens answers. */
export const COUNTED_TOKENS = 2095;

const VERSIONS = new Set(['2023-06-01', '2026-10-21']);

const ANTHROPIC_WIRE: ScriptedWire = {
  prefix: '',
  respond(mock, request) {
    const body = JSON.parse(request.body.toString());
    const operation = operationOf(request.path);
    if (operation === null) return refusal(404, 'Not found');
    if (request.headers['x-api-key'] !== ANTHROPIC_KEY) return refusal(401, 'invalid x-api-key');
    if (!VERSIONS.has(request.headers['anthropic-version'] ?? '')) {
      return refusal(400, 'anthropic-version: header is required');
    }
    if (body.thread !== undefined) {
      return refusal(400, 'thread: not for this organization', 'thread_unsupported_request');
    }
    const problem = checkRequest(body, operation);
    if (problem !== null) return refusal(400, problem);
    const asked = toMockBody({ ...body, stream: operation === 'messages' && body.stream });
    const answer = mock.respond({ ...toRequest(request, asked) });
    if (answer.status !== 200) return plain(answer, (said) => errorText(answer.status, said));
    if (operation === 'count_tokens') return plain(answer, counted);
    const thinks = ['enabled', 'adaptive'].includes(body.thinking?.type);
    if (body.stream === true) return streamed(answer, thinks);
    return plain(answer, (said) =>
      said.error === undefined ? messageText(said, thinks) : errorText(500, said),
    );
  },
};

/** To configure as a base URL: `http://127.0.0.1:port`. */
export function startScriptedAnthropic(): Promise<ScriptedUpstream> {
  return startScriptedUpstream(ANTHROPIC_WIRE);
}

function operationOf(path: string): 'messages' | 'count_tokens' | null {
  if (path === '/v1/messages') return 'messages';
  return path === '/v1/messages/count_tokens' ? 'count_tokens' : null;
}

function toRequest(request: MockRequest, body: Json): MockRequest {
  return { ...request, path: '/chat/completions', body: Buffer.from(JSON.stringify(body)) };
}

function counted(): string {
  return JSON.stringify({ input_tokens: COUNTED_TOKENS });
}

function refusal(status: number, message: string, code?: string): MockResponse {
  const bytes = Buffer.from(errorText(status, { error: { message, code } }));
  const headers = { 'content-type': 'application/json', 'request-id': 'req_upstream' };
  return { headDelayMs: 0, status, headers, pieces: [{ kind: 'bytes', afterMs: 0, bytes }] };
}

/** A body that is whole is said anew; a broken one stays as broken as it is. */
function plain(answer: MockResponse, encode: (body: Json) => string): MockResponse {
  const pieces = [...answer.pieces];
  const whole = pieces.map((piece) => (piece.kind === 'bytes' ? piece.bytes.toString() : ''));
  const text = whole.join('');
  let said: string;
  try {
    said = encode(JSON.parse(text));
  } catch {
    said = text;
  }
  const rest = pieces.filter(({ kind }) => kind !== 'bytes');
  const bytes = Buffer.from(said);
  return { ...answer, pieces: [{ kind: 'bytes', afterMs: 0, bytes }, ...rest] };
}

function streamed(answer: MockResponse, thinks: boolean): MockResponse {
  return { ...answer, pieces: eventsOf(answer.pieces, new EventWriter(thinks)) };
}

function* eventsOf(pieces: Iterable<MockPiece>, writer: EventWriter): Generator<MockPiece> {
  for (const piece of pieces) {
    if (piece.kind !== 'bytes') {
      yield piece;
      continue;
    }
    yield { ...piece, bytes: Buffer.from(eventText(piece.bytes.toString(), writer)) };
  }
}

function eventText(text: string, writer: EventWriter): string {
  const data = text.startsWith('data: ') ? text.slice('data: '.length) : text;
  if (data.trim() === '[DONE]') return writer.end();
  if (!text.endsWith('\n\n')) return `event: content_block_delta\ndata: ${data}`; // cut within it
  try {
    const chunk = JSON.parse(data);
    return chunk.error === undefined
      ? writer.take(chunk)
      : event(JSON.parse(errorText(500, chunk)));
  } catch {
    return `event: content_block_delta\ndata: ${data.trim()}\n\n`;
  }
}
