/**
 * One request for each thing that the canonical form can say, and where to look for it in a
 * request that was read back.
 */
import type { JsonObject } from '../../../src/kernel/json.ts';
import { at, each, messageOf } from './look.ts';

export interface RequestProbe {
  readonly title: string;
  readonly body: JsonObject;
  /** What must be equal before and after. */
  readonly find: (body: JsonObject) => unknown;
}

const HI = { role: 'user', content: 'Hi' };
const PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQK';
const SCHEMA = { type: 'object', properties: { a: { type: 'integer' } } };
const TOOLS = [
  { type: 'function', function: { name: 'f', parameters: SCHEMA } },
  { type: 'function', function: { name: 'g', parameters: SCHEMA } },
];
const CACHE = { cache_control: { type: 'ephemeral' } };

function call(id: string, name: string, more: object = {}) {
  return { id, type: 'function', function: { name, arguments: '{"a": 1.0}' }, ...more };
}

/** A conversation of two parallel calls, with changes to its messages. */
function called({ made = {}, result = {}, calls = {} }: Record<string, object>) {
  return [
    HI,
    {
      role: 'assistant',
      content: null,
      tool_calls: [call('c1', 'f', calls), call('c2', 'g')],
      ...made,
    },
    { role: 'tool', tool_call_id: 'c1', content: 'one', ...result },
    { role: 'tool', tool_call_id: 'c2', content: 'two' },
  ];
}

function probe(title: string, changes: object, find: (body: JsonObject) => unknown): RequestProbe {
  const body = { model: 'm', messages: [HI], max_completion_tokens: 100, ...changes };
  return { title, body: body as unknown as JsonObject, find };
}

const field = (name: string, value: unknown, title = `\`${name}\``): RequestProbe =>
  probe(title, { [name]: value }, (body) => body[name]);

const part = (title: string, content: object, ...path: readonly string[]): RequestProbe =>
  probe(title, { messages: [{ role: 'user', content: [content] }] }, (body) =>
    at(body, 'messages', 0, 'content', 0, ...path),
  );

export const REQUEST_PROBES: readonly RequestProbe[] = [
  probe(
    'instructions of the system',
    { messages: [{ role: 'system', content: 'S' }, HI] },
    (body) => at(messageOf(body, 'system'), 'content'),
  ),
  probe(
    'instructions of the developer',
    { messages: [{ role: 'developer', content: 'S' }, HI] },
    (body) => at(messageOf(body, 'developer'), 'content'),
  ),
  probe(
    'place of instructions within the conversation',
    { messages: [HI, { role: 'assistant', content: 'A' }, { role: 'system', content: 'S' }, HI] },
    (body) => each(at(body, 'messages'), 'role'),
  ),
  field('max_completion_tokens', 7),
  probe('name of who speaks', { messages: [{ ...HI, name: 'ana' }] }, (body) =>
    at(messageOf(body, 'user'), 'name'),
  ),
  part(
    'image within the request',
    { type: 'image_url', image_url: { url: PNG } },
    'image_url',
    'url',
  ),
  part(
    'image at an address',
    { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    'image_url',
    'url',
  ),
  part(
    'detail of an image',
    { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
    'image_url',
    'detail',
  ),
  part(
    'document within the request',
    { type: 'file', file: { file_data: PDF, filename: 'a.pdf' } },
    'file',
  ),
  part(
    'document at an address',
    { type: 'file', file: { file_url: 'https://example.com/a.pdf' } },
    'file',
    'file_url',
  ),
  part(
    'sound',
    { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
    'input_audio',
  ),
  probe('tools', { tools: TOOLS }, (body) => each(at(body, 'tools'), 'function')),
  probe(
    'strict tools',
    { tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA, strict: true } }] },
    (body) => at(body, 'tools', 0, 'function', 'strict'),
  ),
  probe('parallel calls and their results', { messages: called({}), tools: TOOLS }, (body) => [
    at(messageOf(body, 'assistant'), 'tool_calls'),
    each(at(body, 'messages'), 'tool_call_id'),
  ]),
  probe(
    'a tool that failed',
    { messages: called({ result: { esclusa: { is_error: true } } }), tools: TOOLS },
    (body) => at(messageOf(body, 'tool'), 'esclusa', 'is_error'),
  ),
  probe(
    'an image as a tool’s result',
    {
      messages: called({
        result: {
          content: [
            { type: 'text', text: 'one' },
            { type: 'image_url', image_url: { url: PNG } },
          ],
        },
      }),
      tools: TOOLS,
    },
    (body) => at(messageOf(body, 'tool'), 'content'),
  ),
  probe('a call demanded', { tools: TOOLS, tool_choice: 'required' }, (body) => body.tool_choice),
  probe(
    'a certain call demanded',
    { tools: TOOLS, tool_choice: { type: 'function', function: { name: 'f' } } },
    (body) => body.tool_choice,
  ),
  probe('calls forbidden', { tools: TOOLS, tool_choice: 'none' }, (body) => [
    body.tool_choice,
    at(body, 'tools', 'length'),
  ]),
  probe(
    'one call at a time',
    { tools: TOOLS, parallel_tool_calls: false },
    (body) => body.parallel_tool_calls,
  ),
  field('response_format', { type: 'json_object' }, 'an answer in JSON'),
  probe(
    'an answer that fits a schema',
    { response_format: { type: 'json_schema', json_schema: { name: 'output', schema: SCHEMA } } },
    (body) => at(body, 'response_format', 'json_schema', 'schema'),
  ),
  field('temperature', 0.5),
  field('top_p', 0.5),
  probe('`top_k`', { esclusa: { top_k: 5 } }, (body) => at(body, 'esclusa', 'top_k')),
  field('stop', ['END']),
  field('seed', 7),
  field('presence_penalty', 0.5),
  field('frequency_penalty', 0.5),
  probe('several answers (`n`)', { n: 2 }, (body) => body.n),
  probe('`logprobs`', { logprobs: true, top_logprobs: 2 }, (body) => [
    body.logprobs,
    body.top_logprobs,
  ]),
  field('logit_bias', { 50256: -100 }),
  field('reasoning_effort', 'low'),
  probe(
    'a budget of thinking',
    {
      max_completion_tokens: 9000,
      esclusa: { thinking: { mode: 'enabled', budget_tokens: 2048 } },
    },
    (body) => at(body, 'esclusa', 'thinking', 'budget_tokens'),
  ),
  probe('no thinking', { esclusa: { thinking: { mode: 'disabled' } } }, (body) =>
    at(body, 'esclusa', 'thinking', 'mode'),
  ),
  probe(
    'reasoning of earlier answers, as text',
    { messages: [HI, { role: 'assistant', content: 'A', reasoning_content: 'R' }, HI] },
    (body) => at(messageOf(body, 'assistant'), 'reasoning_content'),
  ),
  probe(
    'reasoning of earlier answers, signed',
    {
      messages: [
        HI,
        {
          role: 'assistant',
          content: 'A',
          reasoning_content: 'R',
          esclusa: { thinking_blocks: [{ type: 'thinking', thinking: 'R', signature: 'c2ln' }] },
        },
        HI,
      ],
    },
    (body) => at(messageOf(body, 'assistant'), 'esclusa', 'thinking_blocks'),
  ),
  probe(
    'reasoning of earlier answers, hidden',
    {
      messages: [
        HI,
        {
          role: 'assistant',
          content: 'A',
          esclusa: { thinking_blocks: [{ type: 'redacted', data: 'eA==' }] },
        },
        HI,
      ],
    },
    (body) => at(messageOf(body, 'assistant'), 'esclusa', 'thinking_blocks'),
  ),
  probe(
    'signature of a call',
    { messages: called({ calls: { esclusa: { signature: 'c2ln' } } }), tools: TOOLS },
    (body) => at(messageOf(body, 'assistant'), 'tool_calls', 0, 'esclusa', 'signature'),
  ),
  probe(
    'signature of a text',
    { messages: [HI, { role: 'assistant', content: 'A', esclusa: { signature: 'c2ln' } }, HI] },
    (body) => at(messageOf(body, 'assistant'), 'esclusa', 'signature'),
  ),
  probe(
    'marks of the prompt’s cache',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', esclusa: CACHE }] }] },
    (body) => at(body, 'messages', 0, 'content', 0, 'esclusa', 'cache_control'),
  ),
  field('user', 'u1'),
  field('metadata', { a: 'b' }),
  field('service_tier', 'auto'),
  field('store', true),
  field('prediction', { type: 'content', content: 'x' }),
  field('verbosity', 'low'),
  field('web_search_options', {}),
  field('modalities', ['text', 'audio'], 'sound as an answer (`modalities`)'),
  field(
    'functions',
    [{ name: 'f', parameters: SCHEMA }],
    'tools in their older form (`functions`)',
  ),
  field('a_later_field', 1, 'fields that nobody knows yet'),
];
