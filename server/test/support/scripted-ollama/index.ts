/**
 * A server of Ollama's own API over real sockets: the scripted upstream, its mock asked in
 * OpenAI's words, and its answers, faults included, said in Ollama's.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../../src/kernel/json.ts';
import type { MockPiece } from '../../../src/providers/mock/faults.ts';
import type { MockRequest, MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { decodeOllamaRequest } from './decode-request.ts';
import {
  type Chunk,
  type Completion,
  createOllamaLines,
  encodeOllamaAnswer,
  encodeOllamaError,
} from './encode-answer.ts';

const PATHS: Readonly<Record<string, string>> = {
  '/api/chat': '/chat/completions',
  '/api/generate': '/completions',
  '/api/embed': '/embeddings',
};

const OLLAMA_WIRE: ScriptedWire = {
  prefix: '',
  respond(mock, request) {
    const path = PATHS[request.path];
    if (path === undefined) return notFound();
    const isStream = parseJson(request.body.toString());
    const asked = toMock(request, path);
    const answer = mock.respond(asked);
    if (answer.status !== 200) return plain(answer, encodeOllamaError);
    const streams = isJsonObject(isStream) && isStream.stream === true;
    if (streams) return streamed(answer);
    return plain(answer, path === '/embeddings' ? embedded : complete);
  },
};

/** To configure as a base URL: `http://127.0.0.1:port`. */
export function startScriptedOllama(): Promise<ScriptedUpstream> {
  return startScriptedUpstream(OLLAMA_WIRE);
}

function toMock(request: MockRequest, path: string): MockRequest {
  const body = decodeOllamaRequest(request.body.toString());
  const isStream = body.stream === true;
  const asked = isStream ? { ...body, stream_options: { include_usage: true } } : body;
  return { ...request, path, body: Buffer.from(JSON.stringify(asked)) };
}

function notFound(): MockResponse {
  const bytes = Buffer.from('404 page not found');
  const headers = { 'content-type': 'text/plain' };
  return { headDelayMs: 0, status: 404, headers, pieces: [{ kind: 'bytes', afterMs: 0, bytes }] };
}

function complete(body: JsonObject): string {
  if (body.error !== undefined) return encodeOllamaError(body);
  return encodeOllamaAnswer(body as unknown as Completion);
}

function embedded(body: JsonObject): string {
  const { data, model, usage } = body as unknown as {
    data: readonly { embedding: readonly number[] }[];
    model: string;
    usage?: { prompt_tokens: number };
  };
  const embeddings = data.map(({ embedding }) => embedding);
  return JSON.stringify({ model, embeddings, prompt_eval_count: usage?.prompt_tokens });
}

/** A body that is whole is said anew; a broken one stays as broken as it is. */
function plain(answer: MockResponse, encode: (body: JsonObject) => string): MockResponse {
  const pieces = [...answer.pieces];
  const whole = Buffer.concat(pieces.map((piece) => bytesOf(piece)));
  const body = parseJson(whole.toString());
  const text = isJsonObject(body) ? Buffer.from(encode(body)) : whole;
  const rest = pieces.filter(({ kind }) => kind !== 'bytes');
  return { ...answer, pieces: [{ kind: 'bytes', afterMs: 0, bytes: text }, ...rest] };
}

function streamed(answer: MockResponse): MockResponse {
  const headers = { ...answer.headers, 'content-type': 'application/x-ndjson' };
  return { ...answer, headers, pieces: linesOf(answer.pieces) };
}

function* linesOf(pieces: Iterable<MockPiece>): Generator<MockPiece> {
  const lines = createOllamaLines();
  for (const piece of pieces) {
    if (piece.kind !== 'bytes') {
      yield piece;
      continue;
    }
    const { afterMs } = piece;
    for (const text of lineTexts(piece.bytes.toString(), lines)) {
      yield { kind: 'bytes', afterMs, bytes: Buffer.from(text) };
    }
  }
}

function lineTexts(event: string, lines: ReturnType<typeof createOllamaLines>): string[] {
  const data = event.startsWith('data: ') ? event.slice('data: '.length).trim() : event;
  if (data === '[DONE]') return [lines.end()];
  const chunk = parseJson(data);
  if (!isJsonObject(chunk)) return [`${data}\n`];
  if (chunk.error !== undefined) return [`${encodeOllamaError(chunk)}\n`];
  return lines.take(chunk as unknown as Chunk);
}

function bytesOf(piece: MockPiece): Buffer {
  return piece.kind === 'bytes' ? piece.bytes : Buffer.alloc(0);
}
