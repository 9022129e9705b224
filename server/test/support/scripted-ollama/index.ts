/**
 * A server of Ollama's own API over real sockets: the scripted upstream, its mock asked in
 * OpenAI's words, and its answers, faults included, said in Ollama's.
 */
import { isJsonObject, type JsonObject, parseJson } from '../../../src/kernel/json.ts';
import type { MockRequest, MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { saidInEvents, saidPlain, wholeAnswer } from '../scripted-wire.ts';
import { decodeOllamaRequest } from './decode-request.ts';
import {
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

const TEXT_TYPE = { 'content-type': 'text/plain' };

const OLLAMA_WIRE: ScriptedWire = {
  prefix: '',
  respond(mock, request) {
    const path = PATHS[request.path];
    if (path === undefined) return wholeAnswer(404, '404 page not found', TEXT_TYPE);
    const isStream = parseJson(request.body.toString());
    const asked = toMock(request, path);
    const answer = mock.respond(asked);
    if (answer.status !== 200) return saidPlain(answer, encodeOllamaError);
    const streams = isJsonObject(isStream) && isStream.stream === true;
    if (streams) return streamed(answer);
    return saidPlain(answer, path === '/embeddings' ? embedded : complete);
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

function streamed(answer: MockResponse): MockResponse {
  const headers = { ...answer.headers, 'content-type': 'application/x-ndjson' };
  const lines = createOllamaLines();
  return saidInEvents(
    { ...answer, headers },
    {
      take: (chunk) => lines.take(chunk).join(''),
      end: () => lines.end(),
      error: (body) => `${encodeOllamaError(body)}\n`,
      torn: (data) => data,
      garbled: (data) => `${data}\n`,
    },
  );
}
