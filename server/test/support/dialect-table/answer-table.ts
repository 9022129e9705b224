/**
 * What of an answer reaches the clients of each dialect: written by the dialect's codec, and read
 * back as its provider's adapter would.
 */
import type { JsonObject } from '../../../src/kernel/json.ts';
import { CLIENTS, foreignCall, type Wire } from '../round-trip/wires.ts';
import { at } from './look.ts';

export interface AnswerRow {
  readonly title: string;
  /** By the dialect's name. */
  readonly at: Readonly<Record<string, boolean>>;
}

interface AnswerProbe {
  readonly title: string;
  readonly body: JsonObject;
  readonly find: (body: unknown) => unknown;
}

const DIALECTS = CLIENTS;
export const DIALECT_NAMES: readonly string[] = DIALECTS.map(({ name }) => name);

const QUESTION = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const USAGE = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 };

interface Changes {
  readonly message?: object;
  readonly choice?: object;
  readonly body?: object;
}

function probe(title: string, changes: Changes, find: (body: unknown) => unknown): AnswerProbe {
  const message = { role: 'assistant', content: 'A', ...changes.message };
  const choice = { index: 0, message, finish_reason: 'stop', ...changes.choice };
  const head = { id: 'a', object: 'chat.completion', created: 1_790_000_000, model: 'm' };
  const body = { ...head, choices: [choice], usage: USAGE, ...changes.body };
  return { title, body: body as unknown as JsonObject, find };
}

const first = (body: unknown, ...path: readonly (string | number)[]): unknown =>
  at(body, 'choices', 0, ...path);
const call = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: '{"a": 12345678901234567890}' },
});
const calling = (more: object = {}): Changes => ({
  message: { content: null, tool_calls: [{ ...call('c1'), ...more }, call('c2')] },
  choice: { finish_reason: 'tool_calls' },
});
const ended = (finish_reason: string, more: object = {}): Changes => ({
  choice: { finish_reason, ...more },
});
const thinking = (...thinking_blocks: object[]): Changes => ({
  message: { reasoning_content: 'R', esclusa: { thinking_blocks } },
});
const LIKELY = {
  content: [{ token: 'A', logprob: -0.5, bytes: null, top_logprobs: [] }],
  refusal: null,
};
const usage = (more: object): Changes => ({ body: { usage: { ...USAGE, ...more } } });

const PROBES: readonly AnswerProbe[] = [
  probe('text', {}, (body) => first(body, 'message', 'content')),
  probe(
    'several choices',
    {
      body: {
        choices: [0, 1].map((index) => ({
          index,
          message: { role: 'assistant', content: `${index}` },
          finish_reason: 'stop',
        })),
      },
    },
    (body) => at(body, 'choices', 'length'),
  ),
  probe('parallel calls: ids, names, arguments', calling(), (body) =>
    first(body, 'message', 'tool_calls'),
  ),
  probe('signature of a call', calling({ esclusa: { signature: 'c2ln' } }), (body) =>
    first(body, 'message', 'tool_calls', 0, 'esclusa'),
  ),
  probe('signature of a text', { message: { esclusa: { signature: 'c2ln' } } }, (body) =>
    first(body, 'message', 'esclusa', 'signature'),
  ),
  probe('reasoning, as text', { message: { reasoning_content: 'R' } }, (body) =>
    first(body, 'message', 'reasoning_content'),
  ),
  probe(
    'reasoning, signed',
    thinking({ type: 'thinking', thinking: 'R', signature: 'c2ln' }),
    (body) => first(body, 'message', 'esclusa', 'thinking_blocks'),
  ),
  probe(
    'reasoning, hidden',
    {
      message: { esclusa: { thinking_blocks: [{ type: 'redacted', data: 'eA==' }] } },
    },
    (body) => first(body, 'message', 'esclusa', 'thinking_blocks'),
  ),
  probe('ended by the limit of tokens', ended('length'), (body) => first(body, 'finish_reason')),
  probe('ended by a filter', ended('content_filter'), (body) => first(body, 'finish_reason')),
  probe(
    'the stop sequence that ended it',
    ended('stop', { esclusa: { stop_sequence: 'END' } }),
    (body) => first(body, 'esclusa', 'stop_sequence'),
  ),
  probe('a refusal apart from text', { message: { content: null, refusal: 'No.' } }, (body) =>
    first(body, 'message', 'refusal'),
  ),
  probe('probabilities of tokens', { choice: { logprobs: LIKELY } }, (body) =>
    first(body, 'logprobs', 'content', 0, 'logprob'),
  ),
  probe('tokens of prompt and answer', {}, (body) => [
    at(body, 'usage', 'prompt_tokens'),
    at(body, 'usage', 'completion_tokens'),
  ]),
  probe(
    'tokens of the prompt that were cached',
    usage({ prompt_tokens_details: { cached_tokens: 5 } }),
    (body) => at(body, 'usage', 'prompt_tokens_details', 'cached_tokens'),
  ),
  probe(
    'tokens of reasoning',
    usage({ completion_tokens_details: { reasoning_tokens: 5 } }),
    (body) => at(body, 'usage', 'completion_tokens_details', 'reasoning_tokens'),
  ),
  probe(
    'tokens written to the prompt’s cache',
    { body: { esclusa: { cache_creation_tokens: 5 } } },
    (body) => at(body, 'esclusa', 'cache_creation_tokens'),
  ),
  probe('time of the answer', {}, (body) => at(body, 'created')),
];

export function answerRows(): AnswerRow[] {
  return PROBES.map(({ title, body, find }) => {
    const wanted = JSON.stringify(find(body));
    const at = DIALECTS.map((wire) => [
      wire.name,
      JSON.stringify(told(wire, body, find)) === wanted,
    ]);
    return { title, at: Object.fromEntries(at) };
  });
}

function told(wire: Wire, body: JsonObject, find: (body: unknown) => unknown): unknown {
  const call = foreignCall(wire.adapter, QUESTION);
  const request = wire.readRequest(wire.adapter.encode(call));
  const bytes = wire.writeAnswer(request, body);
  const head = { status: 200, headers: { 'content-type': 'application/json' } };
  return find(wire.adapter.decodeAnswer(call, head, bytes).body);
}
