/**
 * OpenAI's models as Azure serves them, over real sockets: paths by deployment and the newer
 * surface, the key in its own header, and the notes of the content filter beside every answer.
 */
import { isJsonArray, isJsonObject, type JsonObject, parseJson } from '../../../src/kernel/json.ts';
import type { MockPiece } from '../../../src/providers/mock/faults.ts';
import type { MockRequest, MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import { respondAsResponses } from '../scripted-responses/index.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { wholeAnswer } from '../scripted-wire.ts';

export const AZURE_KEY = 'azure-0123456789abcdef0123456789abcdef';

const DEPLOYMENT =
  /^\/openai\/deployments\/([^/]+)(\/(?!responses)[^?]+)\?api-version=(\d{4}-\d{2}-\d{2}\S*)$/;
const NEWER = /^\/openai\/v1(\/[^?]+)(?:\?api-version=\w+)?$/;
const RESULTS = { hate: { filtered: false, severity: 'safe' } };
const PROMPT_RESULTS = [{ prompt_index: 0, content_filter_results: RESULTS }];

const AZURE_WIRE: ScriptedWire = {
  prefix: '',
  respond(mock, request) {
    if (request.headers['api-key'] !== AZURE_KEY || request.headers.authorization !== '') {
      const message = 'Access denied due to invalid subscription key or wrong API endpoint.';
      return failure(401, { code: '401', message });
    }
    const called = callOf(request);
    if (called === null) return failure(404, { code: '404', message: 'Resource not found' });
    if (request.body.includes('FORBIDDEN WORD')) return filtered();
    if (called.path === '/responses') return respondAsResponses(mock, called);
    return annotated(mock.respond(called));
  },
  modelOf: (path) => decodeURIComponent(DEPLOYMENT.exec(path)?.[1] ?? '') || null,
};

/** To configure as a base URL: `http://127.0.0.1:port`. */
export function startScriptedAzure(): Promise<ScriptedUpstream> {
  return startScriptedUpstream(AZURE_WIRE);
}

/** The call without what only Azure has; the deployment of the path is the model. */
function callOf(request: MockRequest): MockRequest | null {
  const [, deployment, operation] = DEPLOYMENT.exec(request.path) ?? [];
  const path = operation ?? NEWER.exec(request.path)?.[1];
  const body = parseJson(request.body.toString());
  if (path === undefined || !isJsonObject(body)) return null;
  const model = deployment === undefined ? body.model : decodeURIComponent(deployment);
  return { ...request, path, body: Buffer.from(JSON.stringify({ ...body, model })) };
}

function filtered(): MockResponse {
  return failure(400, {
    message: 'The response was filtered due to the prompt triggering the content policy.',
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: 400,
    innererror: {
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: { hate: { filtered: true, severity: 'high' } },
    },
  });
}

function failure(status: number, error: JsonObject): MockResponse {
  return wholeAnswer(status, JSON.stringify({ error }));
}

function annotated(answer: MockResponse): MockResponse {
  if (answer.status !== 200) return answer;
  const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true;
  return { ...answer, pieces: isStream ? events(answer.pieces) : bodies(answer.pieces) };
}

function* events(pieces: Iterable<MockPiece>): Generator<MockPiece> {
  const first = { choices: [], created: 0, id: '', model: '', object: '' };
  const note = { ...first, prompt_filter_results: PROMPT_RESULTS };
  yield text(`data: ${JSON.stringify(note)}\n\n`);
  yield* pieces;
}

function* bodies(pieces: Iterable<MockPiece>): Generator<MockPiece> {
  for (const piece of pieces) {
    const body = piece.kind === 'bytes' ? parseJson(piece.bytes.toString()) : undefined;
    if (!isJsonObject(body) || !isJsonArray(body.choices)) yield piece;
    else {
      const choices = body.choices.map((choice) => ({
        ...(choice as JsonObject),
        content_filter_results: RESULTS,
      }));
      yield text(JSON.stringify({ ...body, choices, prompt_filter_results: PROMPT_RESULTS }));
    }
  }
}

function text(written: string): MockPiece {
  return { kind: 'bytes', afterMs: 0, bytes: Buffer.from(written) };
}
