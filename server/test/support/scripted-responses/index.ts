/**
 * The Responses API of a scripted upstream that has it, in front of a mock that answers chats:
 * OpenAI's own server and Azure's newer surface. Nothing is kept there.
 */
import type {
  MockProvider,
  MockRequest,
  MockResponse,
} from '../../../src/providers/mock/mock-provider.ts';
import { saidInEvents, saidPlain, wholeAnswer } from '../scripted-wire.ts';
import { EventWriter, responseFor } from './from-mock.ts';
import { checkRequest, toMockBody } from './to-mock.ts';

export function respondAsResponses(mock: MockProvider, request: MockRequest): MockResponse {
  const body = JSON.parse(request.body.toString());
  const problem = checkRequest(body);
  if (problem !== null) {
    const error = { message: problem, type: 'invalid_request_error', param: null, code: null };
    return wholeAnswer(400, JSON.stringify({ error }));
  }
  const asked = Buffer.from(JSON.stringify(toMockBody(body)));
  const answer = mock.respond({ ...request, path: '/chat/completions', body: asked });
  if (answer.status !== 200) return answer;
  if (body.stream !== true) {
    return saidPlain(answer, (said) =>
      JSON.stringify(said.error === undefined ? responseFor(said, body) : said),
    );
  }
  const writer = new EventWriter(body);
  return saidInEvents(answer, {
    take: (chunk) => writer.take(chunk),
    end: () => writer.end(),
    error: ({ error }) => writer.error(error),
    torn: (data) => `event: response.output_text.delta\ndata: ${data}`,
    garbled: (data) => `event: response.output_text.delta\ndata: ${data}\n\n`,
  });
}
