/**
 * A server of Gemini's API over real sockets: the scripted upstream, whose mock is asked in
 * OpenAI's words and whose answers, faults included, are said in Gemini's. It is as strict as
 * the real one about what it takes.
 */
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
import { type Json, saidInEvents, saidPlain, wholeAnswer } from '../scripted-wire.ts';
import { checkCount, checkEmbed, checkGenerate, checkSigned } from './check-request.ts';
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
      if (model === null || verb === undefined) return refused(404, 'NOT_FOUND', 'Not found');
      if (request.headers['x-goog-api-key'] !== GEMINI_KEY) {
        return refused(400, 'API_KEY_INVALID', 'API key not valid. Please pass a valid API key.');
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
      return refused(404, 'NOT_FOUND', 'Not found');
  }
}

function generate(asked: Asked, stream: boolean): MockResponse {
  const { mock, request, body, model, givesIds, sse } = asked;
  if (stream && !sse) return refused(400, 'INVALID', 'a list is not what the gateway asks for');
  const thinks = body.generationConfig?.thinkingConfig?.includeThoughts === true;
  const manner: Manner = { thinks, givesIds };
  const said = toMockBody(body, model, stream);
  const answer = mock.respond({
    ...request,
    path: '/chat/completions',
    body: Buffer.from(JSON.stringify(said)),
  });
  if (answer.status !== 200) return saidPlain(answer, (told) => errorText(answer.status, told));
  if (stream) return streamed(answer, manner);
  return saidPlain(answer, (told) =>
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
  return saidPlain(answer, (told) => {
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
  return problem === null ? null : refused(400, 'INVALID', problem);
}

function firstProblem(items: Json[], check: (item: Json) => string | null): string | null {
  return items.map(check).find((problem) => problem !== null) ?? null;
}

function refused(status: number, code: string, message: string): MockResponse {
  return response(status, errorText(status, { error: { code, message } }));
}

function json(body: Json): MockResponse {
  return response(200, JSON.stringify(body));
}

function response(status: number, text: string): MockResponse {
  return wholeAnswer(status, text, { 'content-type': 'application/json; charset=UTF-8' });
}

function streamed(answer: MockResponse, manner: Manner): MockResponse {
  const writer = new EventWriter(manner);
  return saidInEvents(answer, {
    take: (chunk) => writer.take(chunk),
    end: () => writer.end(),
    error: (body) => event(JSON.parse(errorText(500, body))),
    torn: (data) => `data: ${data}`,
    garbled: (data) => `data: ${data}\r\n\r\n`,
  });
}
