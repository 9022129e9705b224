/**
 * Requests of Ollama's API read back into canonical form, by the shapes of the `ollama` package:
 * what a server would understand of them. Written apart from the encoder, to be held against it.
 */
import type { JsonObject, JsonValue } from '../../../src/kernel/json.ts';
import { jsonSource } from '../../../src/kernel/json-source.ts';

interface OllamaMessage {
  readonly role: string;
  readonly content: string;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly { id?: string; function: { name: string } }[];
  readonly tool_name?: string;
  readonly tool_call_id?: string;
}

interface OllamaRequest {
  readonly model: string;
  readonly messages?: readonly OllamaMessage[];
  readonly prompt?: string;
  readonly input?: JsonValue;
  readonly stream?: boolean;
  readonly format?: 'json' | JsonObject;
  readonly think?: boolean | string;
  readonly tools?: readonly JsonObject[];
  readonly options?: Readonly<Record<string, JsonValue>>;
  readonly dimensions?: number;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
}

const SAME_MEMBERS = [
  'prompt',
  'input',
  'dimensions',
  'tools',
  'logprobs',
  'top_logprobs',
] as const;
const SAME = ['temperature', 'top_p', 'seed', 'stop', 'presence_penalty', 'frequency_penalty'];

export function decodeOllamaRequest(text: string): JsonObject {
  const request = JSON.parse(text) as OllamaRequest;
  const options = request.options ?? {};
  const body: Record<string, JsonValue | undefined> = { model: request.model };
  if (request.messages !== undefined) {
    body.messages = request.messages.map((message, index) => decodeMessage(message, text, index));
  }
  for (const name of SAME_MEMBERS) {
    if (request[name] !== undefined) body[name] = request[name] as JsonValue;
  }
  if (request.stream !== undefined) body.stream = request.stream;
  for (const name of SAME) if (options[name] !== undefined) body[name] = options[name];
  if (options.num_predict !== undefined) body.max_completion_tokens = options.num_predict;
  if (request.format === 'json') body.response_format = { type: 'json_object' };
  else if (request.format !== undefined) {
    const json_schema = { name: 'schema', schema: request.format };
    body.response_format = { type: 'json_schema', json_schema };
  }
  if (typeof request.think === 'string') body.reasoning_effort = request.think;
  const bag = {
    ...(options.top_k === undefined ? {} : { top_k: options.top_k }),
    ...(request.think === true ? { thinking: { mode: 'enabled' } } : {}),
    ...(request.think === false ? { thinking: { mode: 'disabled' } } : {}),
  };
  if (Object.keys(bag).length > 0) body.esclusa = bag;
  return body;
}

function decodeMessage(message: OllamaMessage, text: string, index: number): JsonObject {
  const { role, content, thinking, images = [], tool_calls: calls = [] } = message;
  const parts = [
    ...(content === '' ? [] : [{ type: 'text', text: content }]),
    ...images.map((data) => ({
      type: 'image_url',
      image_url: { url: `data:${mediaType(data)};base64,${data}` },
    })),
  ];
  return {
    role,
    content: images.length > 0 ? parts : content,
    ...(thinking === undefined ? {} : { reasoning_content: thinking }),
    ...(message.tool_call_id === undefined ? {} : { tool_call_id: message.tool_call_id }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call, at) => ({
            id: call.id,
            type: 'function',
            function: {
              name: call.function.name,
              arguments: jsonSource(text, [
                ...['messages', index, 'tool_calls', at, 'function', 'arguments'],
              ]),
            },
          })),
        }),
  };
}

/** A server looks at the bytes. */
function mediaType(base64: string): string {
  return base64.startsWith('/9j/') ? 'image/jpeg' : 'image/png';
}
