/**
 * A conversation in which the upstream asks for one tool after the other, each time having been
 * given the result of the one before, and then answers.
 */
import type { ScriptedUpstream } from '../support/scripted-upstream/index.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** What the client's next three calls get. */
export function scriptToolSteps(upstream: ScriptedUpstream): void {
  upstream.next({ headers: JSON_TYPE, body: calling('call_first', 'get_weather', 'Madrid') });
  upstream.next({ headers: JSON_TYPE, body: calling('call_second', 'get_population', 'Soria') });
  upstream.next({ headers: JSON_TYPE, body: answering('Sunny, and few people.') });
}

/** Ids of the results that a call to the upstream carried, in order. */
export function resultIdsOf(body: Buffer): string[] {
  const { messages } = JSON.parse(body.toString('utf8')) as {
    messages: { role: string; tool_call_id?: string }[];
  };
  return messages
    .filter(({ role }) => role === 'tool')
    .map((message) => String(message.tool_call_id));
}

function calling(id: string, name: string, city: string): string {
  const call = { id, type: 'function', function: { name, arguments: JSON.stringify({ city }) } };
  return completion({ content: null, tool_calls: [call] }, 'tool_calls');
}

function answering(content: string): string {
  return completion({ content }, 'stop');
}

function completion(message: object, finish: string): string {
  return JSON.stringify({
    ...{ id: 'chatcmpl-steps', object: 'chat.completion', created: 1, model: 'mock' },
    choices: [
      {
        index: 0,
        message: { role: 'assistant', refusal: null, ...message },
        finish_reason: finish,
      },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
  });
}
