/**
 * A server of Gemini's API over real sockets: the scripted upstream, whose mock is asked in
 * OpenAI's words and whose answers, faults included, are said in Gemini's. It is as strict as
 * the real one about what it takes.
 */
import type { MockPiece } from '../../../src/providers/mock/faults.ts';
import type {
  MockProvider,
  MockRequest,
  MockResponse,
} from '../../../src/providers/mock/mock-provider.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { checkCount, checkEmbed, checkGenerate, checkSigned, type Json } from './check-request.ts';
import { answerText, EventWriter, errorText, event, type Manner } from './from-mock.ts';
import { textOf, toMockBody } from './to-mock.ts';

export { CACHED_TOKENS, THOUGHT, THOUGHT_TOKENS } from './from-mock.ts';

export const GEMINI_KEY = 'AIzaUpstream0123456789abcdefghijklmnopq';
/** What every count of tokens answers. */
export const COUNTED_TOKENS = 31;

export interface GeminiManner {
  /** False as in older versions of the API, which match results by name and order. */
  readonly givesIds?: boolean;
}

const PATH = /^\/v1beta\/models\/([^/:]+):(\w+)(\?alt=sse)?$/;

/** To configure as a base URL: `http://127.0.0.1:port`. */
export function startScriptedGemini(manner: GeminiManner = {}): Promise<ScriptedUpstream> {
  return startScriptedUpstream(wire(manner.givesIds ?? true));
}

function wire(givesIds: boolean): ScriptedWire {
  return {
    prefix: '',
    modelOf: (path) => modelIn(path),
    respond(mock, request) {
      const [, , verb, sse] = PATH.exec(request.path) ?? [];
      const model = modelIn(request.path);
      if (model === null || verb === undefined) return refusal(404, 'NOT_FOUND', 'Not found');
      if (request.headers['x-goog-api-key'] !== GEMINI_KEY) {
        return refusal(400, 'API_KEY_INVALID', 'API key not valid. Please pass a valid API key.');
      }
      const body = JSON.parse(request.body.toString());
      return verbs({ mock, request, body, model, givesIds, sse: sse !== undefined }, verb);
    },
  };
}

interface Asked {
  readonly mock: MockProvider;
  readonly request: MockRequest;
  readonly body: Json;
  readonly model: string;
  readonly givesIds: boolean;
  readonly sse: boolean;
}

function verbs(asked: Asked, verb: string): MockResponse {
  const { body, model } = asked;
  switch (verb) {
    case 'generateContent':
    case 'streamGenerateContent':
      return (
        checked(checkGenerate(body) ?? (isStrict(model) ? checkSigned(body) : null)) ??
        generate(asked, verb === 'streamGenerateContent')
      );
    case 'countTokens':
      return checked(checkCount(body)) ?? json({ totalTokens: COUNTED_TOKENS });
    case 'embedContent':
      return checked(checkEmbed({ model: `models/${model}`, ...body }, model)) ?? embed(asked);
    case 'batchEmbedContents':
      return (
        checked(firstProblem(body.requests, (one) => checkEmbed(one, model))) ?? embedMany(asked)
      );
    default:
      return refusal(404, 'NOT_FOUND', 'Not found');
  }
}

function generate(asked: Asked, stream: boolean): MockResponse {
  const { mock, request, body, model, givesIds, sse } = asked;
  if (stream && !sse) return refusal(400, 'INVALID', 'a list is not what the gateway asks for');
  const thinks = body.generationConfig?.thinkingConfig?.includeThoughts === true;
  const manner: Manner = { thinks, givesIds };
  const said = toMockBody(body, model, stream);
  const answer = mock.respond({
    ...request,
    path: '/chat/completions',
    body: Buffer.from(JSON.stringify(said)),
  });
  if (answer.status !== 200) return plain(answer, (told) => errorText(answer.status, told));
  if (stream) return { ...answer, pieces: eventsOf(answer.pieces, new EventWriter(manner)) };
  return plain(answer, (told) =>
    told.error === undefined ? answerText(told, manner) : errorText(500, told),
  );
}

function embed(asked: Asked): MockResponse {
  return vectors(asked, [asked.body], ([values]) => ({ embedding: { values } }));
}

function embedMany(asked: Asked): MockResponse {
  return vectors(asked, asked.body.requests, (all) => ({
    embeddings: all.map((values) => ({ values })),
  }));
}

function vectors(
  { mock, request, model }: Asked,
  requests: Json[],
  encode: (vectors: Json[]) => Json,
): MockResponse {
  const input = requests.map(({ content }) => textOf(content));
  const body = { model, input, dimensions: requests[0]?.outputDimensionality };
  const answer = mock.respond({
    ...request,
    path: '/embeddings',
    body: Buffer.from(JSON.stringify(body)),
  });
  return plain(answer, (told) => {
    if (answer.status !== 200) return errorText(answer.status, told);
    return JSON.stringify(encode(told.data.map(({ embedding }: Json) => embedding)));
  });
}

/** `mock-strict` is as strict about signatures as the newest models. */
function isStrict(model: string): boolean {
  return model.startsWith('mock-strict');
}

function modelIn(path: string): string | null {
  const model = PATH.exec(path)?.[1];
  return model === undefined ? null : decodeURIComponent(model);
}

function checked(problem: string | null): MockResponse | null {
  return problem === null ? null : refusal(400, 'INVALID', problem);
}

function firstProblem(items: Json[], check: (item: Json) => string | null): string | null {
  return items.map(check).find((problem) => problem !== null) ?? null;
}

function refusal(status: number, code: string, message: string): MockResponse {
  return response(status, errorText(status, { error: { code, message } }));
}

function json(body: Json): MockResponse {
  return response(200, JSON.stringify(body));
}

function response(status: number, text: string): MockResponse {
  const headers = { 'content-type': 'application/json; charset=UTF-8' };
  const bytes = Buffer.from(text);
  return { headDelayMs: 0, status, headers, pieces: [{ kind: 'bytes', afterMs: 0, bytes }] };
}

/** A body that is whole is said anew; a broken one stays as broken as it is. */
function plain(answer: MockResponse, encode: (body: Json) => string): MockResponse {
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

function* eventsOf(pieces: Iterable<MockPiece>, writer: EventWriter): Generator<MockPiece> {
  for (const piece of pieces) {
    if (piece.kind !== 'bytes') {
      yield piece;
      continue;
    }
    const bytes = Buffer.from(eventText(piece.bytes.toString(), writer));
    if (bytes.length > 0) yield { ...piece, bytes };
  }
}

function eventText(text: string, writer: EventWriter): string {
  const data = text.startsWith('data: ') ? text.slice('data: '.length) : text;
  if (data.trim() === '[DONE]') return writer.end();
  if (!text.endsWith('\n\n')) return `data: ${data}`; // cut within it
  try {
    const chunk = JSON.parse(data);
    return chunk.error === undefined
      ? writer.take(chunk)
      : event(JSON.parse(errorText(500, chunk)));
  } catch {
    return `data: ${data.trim()}\r\n\r\n`;
  }
}
