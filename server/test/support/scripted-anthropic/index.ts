/**
 * A server of Anthropic's API over real sockets: the scripted upstream, whose mock is asked in
 * OpenAI's words and whose answers, faults included, are said in Anthropic's. It is as strict as
 * the real one about what it takes.
 */
import type { MockRequest, MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import {
  type ScriptedUpstream,
  type ScriptedWire,
  startScriptedUpstream,
} from '../scripted-upstream/index.ts';
import { type Json, saidInEvents, saidPlain, wholeAnswer } from '../scripted-wire.ts';
import { checkRequest } from './check-request.ts';
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
    if (operation === null) return refused(404, 'Not found');
    if (request.headers['x-api-key'] !== ANTHROPIC_KEY) return refused(401, 'invalid x-api-key');
    if (!VERSIONS.has(request.headers['anthropic-version'] ?? '')) {
      return refused(400, 'anthropic-version: header is required');
    }
    if (body.thread !== undefined) {
      return refused(400, 'thread: not for this organization', 'thread_unsupported_request');
    }
    const problem = checkRequest(body, operation);
    if (problem !== null) return refused(400, problem);
    const asked = toMockBody({ ...body, stream: operation === 'messages' && body.stream });
    const answer = mock.respond({ ...toRequest(request, asked) });
    if (answer.status !== 200) return saidPlain(answer, (said) => errorText(answer.status, said));
    if (operation === 'count_tokens') return saidPlain(answer, counted);
    const thinks = ['enabled', 'adaptive'].includes(body.thinking?.type);
    if (body.stream === true) return streamed(answer, thinks);
    return saidPlain(answer, (said) =>
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

function refused(status: number, message: string, code?: string): MockResponse {
  const headers = { 'content-type': 'application/json', 'request-id': 'req_upstream' };
  return wholeAnswer(status, errorText(status, { error: { message, code } }), headers);
}

function streamed(answer: MockResponse, thinks: boolean): MockResponse {
  const writer = new EventWriter(thinks);
  return saidInEvents(answer, {
    take: (chunk) => writer.take(chunk),
    end: () => writer.end(),
    error: (body) => event(JSON.parse(errorText(500, body))),
    torn: (data) => `event: content_block_delta\ndata: ${data}`,
    garbled: (data) => `event: content_block_delta\ndata: ${data}\n\n`,
  });
}
