/**
 * A request of the Responses API put to the mock in the words of a chat, and what the real API
 * refuses of it: unknown fields, results without calls, items it does not know. Written from the
 * types of `openai` 7.55.0, apart from the code under test.
 */
import type { Json } from '../scripted-wire.ts';

const FIELDS = new Set([
  ...['model', 'input', 'instructions', 'stream', 'store', 'tools', 'tool_choice', 'include'],
  ...['parallel_tool_calls', 'text', 'reasoning', 'max_output_tokens', 'temperature', 'top_p'],
  ...['metadata', 'user', 'truncation', 'service_tier', 'prompt_cache_key', 'stream_options'],
  ...['safety_identifier', 'top_logprobs', 'max_tool_calls', 'previous_response_id'],
]);

/** The vendor's complaint, or null. */
export function checkRequest(body: Json): string | null {
  for (const name of Object.keys(body)) {
    if (!FIELDS.has(name)) return `Unknown parameter: '${name}'.`;
  }
  if (body.store !== false) return 'Zero data retention is on: `store` must be false.';
  if (typeof body.input === 'string') return null;
  if (!Array.isArray(body.input)) return 'Missing required parameter: `input`.';
  const calls = new Set<string>();
  for (const [at, item] of body.input.entries()) {
    const { type = 'message' } = item;
    if (type === 'function_call') calls.add(item.call_id);
    else if (type === 'function_call_output') {
      if (!calls.has(item.call_id)) return `No tool call found for call_id ${item.call_id}.`;
    } else if (type !== 'message' && type !== 'reasoning') {
      return `Invalid value: 'input[${at}].type'.`;
    }
  }
  return null;
}

export function toMockBody(body: Json): Json {
  const { tools = [], tool_choice: choice, text, input, instructions } = body;
  const format = text?.format;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  return {
    ...{ model: body.model, stream: body.stream === true },
    ...(body.stream === true ? { stream_options: { include_usage: true } } : {}),
    ...(body.max_output_tokens == null ? {} : { max_tokens: body.max_output_tokens }),
    ...(body.parallel_tool_calls == null ? {} : { parallel_tool_calls: body.parallel_tool_calls }),
    messages: [
      ...(instructions ? [{ role: 'system', content: instructions }] : []),
      ...items.reduce(withItem, []),
    ],
    ...(tools.length === 0 ? {} : { tools: tools.map(toMockTool), tool_choice: toChoice(choice) }),
    ...(format?.type === 'json_schema'
      ? { response_format: { type: 'json_schema', json_schema: format } }
      : {}),
  };
}

/** Calls of one answer stand in one message of a chat. */
function withItem(messages: Json[], item: Json): Json[] {
  const { type = 'message', call_id: id } = item;
  if (type === 'function_call') {
    const call = { id, type: 'function', function: { name: item.name, arguments: item.arguments } };
    const last = messages.at(-1);
    if (last?.tool_calls !== undefined) last.tool_calls.push(call);
    else messages.push({ role: 'assistant', content: null, tool_calls: [call] });
  } else if (type === 'function_call_output') {
    messages.push({ role: 'tool', tool_call_id: id, content: contentOf(item.output) });
  } else if (type === 'message') {
    messages.push({ role: item.role, content: contentOf(item.content) });
  }
  return messages;
}

function contentOf(content: Json): Json {
  if (typeof content === 'string') return content;
  return content.map((part: Json) =>
    part.type === 'input_image'
      ? { type: 'image_url', image_url: { url: part.image_url } }
      : { type: 'text', text: part.text ?? '' },
  );
}

function toMockTool({ name, description, parameters }: Json): Json {
  return { type: 'function', function: { name, description, parameters } };
}

function toChoice(choice: Json): Json {
  if (choice?.type === 'function') return { type: 'function', function: { name: choice.name } };
  return choice ?? 'auto';
}
