/**
 * A client of the Responses dialect, for round trips: it writes canonical requests as items, and
 * reads responses and their streams back into canonical form. Nothing of it is shared with the
 * program but the packing of signed reasoning, which clients send back without reading it.
 */
import { GatewayError } from '../../../src/gateway/index.ts';
import type { PlainAnswer, StreamFrame } from '../../../src/gateway/model/answer.ts';
import type { CanonicalChunk } from '../../../src/gateway/model/canonical.ts';
import type { ProviderAdapter } from '../../../src/gateway/ports/provider.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { packReasoning, unpackReasoning } from '../../../src/wire/responses/carried-reasoning.ts';
import { readUsage } from '../../../src/wire/responses/usage.ts';

/** What a test looks into is its own claim. */
type Json = ReturnType<typeof JSON.parse>;

/** Members of a canonical request that this dialect can say. */
const SAID = new Set([
  'max_completion_tokens',
  'messages',
  'model',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'service_tier',
  'stream',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
  'user',
]);

export function createResponsesClient(): ProviderAdapter {
  return {
    dialect: 'responses',
    encode({ request }) {
      const dropped = new Set<string>();
      const body = encodeRequest(request.body, (field) => dropped.add(field));
      const bytes = Buffer.from(JSON.stringify(body));
      return {
        method: 'POST',
        path: '/responses',
        headers: {},
        body: bytes,
        dropped: [...dropped],
      };
    },
    decodeAnswer: (_call, _head, bytes) => answerOf(JSON.parse(bytes.toString())),
    createStreamDecoder() {
      let text = '';
      return {
        push(chunk) {
          text += chunk.toString();
          return null;
        },
        end: () => lastFrame(text),
      };
    },
    probe: () => ({ method: 'GET', path: '/models', headers: {}, body: null }),
    decodeError: () => new GatewayError('upstream_failed'),
  };
}

type Drop = (field: string) => void;

function encodeRequest(body: Json, drop: Drop): object {
  for (const name of Object.keys(body)) if (!SAID.has(name) && name !== 'esclusa') drop(name);
  if (body.esclusa !== undefined) drop('esclusa');
  const format = body.response_format;
  const choice = body.tool_choice;
  return {
    model: body.model,
    store: false,
    stream: body.stream,
    input: body.messages.flatMap((message: Json) => itemsOf(message, drop)),
    max_output_tokens: body.max_completion_tokens,
    parallel_tool_calls: body.parallel_tool_calls,
    service_tier: body.service_tier,
    temperature: body.temperature,
    top_p: body.top_p,
    user: body.user,
    tools: body.tools?.map((tool: Json) => {
      if (tool.esclusa !== undefined) drop('tools[].esclusa');
      return { type: 'function', ...tool.function };
    }),
    tool_choice: choice?.function === undefined ? choice : { type: 'function', ...choice.function },
    text:
      format === undefined ? undefined : { format: { ...format.json_schema, type: format.type } },
    reasoning: body.reasoning_effort == null ? undefined : { effort: body.reasoning_effort },
  };
}

function itemsOf(message: Json, drop: Drop): object[] {
  const { role, content, name, esclusa = {} } = message;
  if (name !== undefined) drop('name');
  if (esclusa.cache_control !== undefined || esclusa.is_error) drop('esclusa');
  if (role === 'tool') {
    const output = typeof content === 'string' ? content : partsOf(content, 'input_text', drop);
    return [{ type: 'function_call_output', call_id: message.tool_call_id, output }];
  }
  if (role !== 'assistant') {
    const said = typeof content === 'string' ? content : partsOf(content, 'input_text', drop);
    return [{ role, content: said }];
  }
  const items: object[] = reasoningOf(message);
  if (content != null) {
    const parts = partsOf(content, 'output_text', drop);
    items.push({ type: 'message', role, status: 'completed', id: 'msg_1', content: parts });
  }
  for (const call of message.tool_calls ?? []) {
    items.push({ type: 'function_call', call_id: call.id, ...call.function });
  }
  return items;
}

function reasoningOf({ reasoning_content: text, esclusa = {}, tool_calls = [] }: Json): object[] {
  const blocks = esclusa.thinking_blocks ?? [];
  const signed = tool_calls.filter((call: Json) => call.esclusa?.signature !== undefined);
  const calls = Object.fromEntries(signed.map((call: Json) => [call.id, call.esclusa.signature]));
  const own = esclusa.signature === undefined ? {} : { text: esclusa.signature };
  const isEmpty = blocks.length + signed.length === 0 && esclusa.signature === undefined;
  const packed = isEmpty ? {} : { encrypted_content: packReasoning({ blocks, calls, ...own }) };
  if (text === undefined && isEmpty) return [];
  const content = text === undefined ? [] : [{ type: 'reasoning_text', text }];
  return [{ type: 'reasoning', id: 'rs_1', summary: [], content, ...packed }];
}

function partsOf(content: Json, textType: string, drop: Drop): object[] {
  if (typeof content === 'string') return [{ type: textType, text: content }];
  return content.map((part: Json) => {
    if (part.esclusa !== undefined) drop('content[].esclusa');
    switch (part.type) {
      case 'text':
        return { type: textType, text: part.text };
      case 'image_url': {
        const { url, detail } = part.image_url;
        return { type: 'input_image', image_url: url, detail };
      }
      case 'file':
        return { type: 'input_file', ...part.file };
      default:
        return part;
    }
  });
}

function answerOf(response: Json): PlainAnswer {
  return {
    kind: 'plain',
    dialect: 'responses',
    contentType: 'application/json',
    bytes: Buffer.alloc(0),
    body: completionOf(response),
    usage: readUsage(response.usage),
    finishReasons: [],
  };
}

function completionOf({ output, status, incomplete_details, usage, ...head }: Json): JsonObject {
  const calls: Json[] = output.filter((item: Json) => item.type === 'function_call');
  const said = output.filter((item: Json) => item.type === 'message');
  const parts = said.flatMap((item: Json) => item.content);
  const texts = parts.filter((part: Json) => part.type === 'output_text');
  const thoughts = output.filter((item: Json) => item.type === 'reasoning');
  const packed = thoughts.map((item: Json) => unpackReasoning(item.encrypted_content));
  const blocks = packed.flatMap((each: Json) => each?.blocks ?? []);
  const signatures = Object.assign({}, ...packed.map((each: Json) => each?.calls ?? {}));
  const [signature] = packed.flatMap((each: Json) => each?.text ?? []);
  const bag = {
    ...(blocks.length === 0 ? {} : { thinking_blocks: blocks }),
    ...(signature === undefined ? {} : { signature }),
  };
  const reasoning = thoughts
    .flatMap((item: Json) => [...item.summary, ...(item.content ?? [])])
    .map((part: Json) => part.text)
    .join('');
  const reason = incomplete_details?.reason;
  const message = {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.map((part: Json) => part.text).join(''),
    ...(parts.some((part: Json) => part.type === 'refusal')
      ? { refusal: parts.map((part: Json) => part.refusal ?? '').join('') }
      : {}),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0
      ? {}
      : { tool_calls: calls.map((call) => callOf(call, signatures[call.call_id])) }),
    ...(Object.keys(bag).length === 0 ? {} : { esclusa: bag }),
  };
  const finish = calls.length > 0 ? 'tool_calls' : 'stop';
  const finish_reason =
    status === 'incomplete' ? (reason === 'content_filter' ? reason : 'length') : finish;
  const completion = {
    ...{ id: head.id, object: 'chat.completion', created: head.created_at, model: head.model },
    choices: [{ index: 0, message, finish_reason }],
    usage: {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      prompt_tokens_details: { cached_tokens: usage.input_tokens_details.cached_tokens },
      completion_tokens_details: {
        reasoning_tokens: usage.output_tokens_details.reasoning_tokens,
      },
    },
    ...(usage.input_tokens_details.cache_write_tokens === 0
      ? {}
      : { esclusa: { cache_creation_tokens: usage.input_tokens_details.cache_write_tokens } }),
  };
  return completion as unknown as JsonObject;
}

function callOf({ call_id: id, name, arguments: args }: Json, signature: Json): object {
  const called = { id, type: 'function', function: { name, arguments: args } };
  return signature === undefined ? called : { ...called, esclusa: { signature } };
}

/** The whole stream as one chunk, once its events were found to add up to its last one. */
function lastFrame(text: string): StreamFrame {
  // Not by `$`: a line of a stream may hold what a pattern takes for the end of one.
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  const events: Json[] = data.map((line) => JSON.parse(line.slice('data: '.length)));
  const response = events.at(-1)?.response;
  const pieces = new Map<string, string>();
  for (const { type, item_id, delta } of events) {
    if (type.endsWith('.delta')) pieces.set(item_id, (pieces.get(item_id) ?? '') + delta);
  }
  for (const item of response.output) {
    const parts = [...(item.summary ?? []), ...(item.content ?? [])];
    const said = parts.map((part: Json) => part.text ?? part.refusal).join('');
    if ((pieces.get(item.id) ?? '') !== (item.arguments ?? said)) {
      throw new Error(`the pieces of ${item.id} are not what it says: ${JSON.stringify(item)}`);
    }
  }
  const { choices, ...head } = completionOf(response) as Json;
  const [{ message, finish_reason }] = choices;
  const tool_calls = message.tool_calls?.map((call: Json, index: number) => ({ ...call, index }));
  const delta = { ...message, tool_calls };
  const chunk = { ...head, choices: [{ index: 0, delta, finish_reason }] };
  return {
    bytes: Buffer.alloc(0),
    terminal: Buffer.alloc(0),
    chunks: [chunk as CanonicalChunk],
    producedCharacters: 0,
    usage: readUsage(response.usage),
    finishReasons: [],
  };
}
