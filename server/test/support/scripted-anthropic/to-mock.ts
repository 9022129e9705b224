/**
 * A request of this wire put to the mock in OpenAI's words, as plainly as the mock needs it:
 * texts, images, tools, results of tools, and the shape of the answer.
 */
import type { Json } from '../scripted-wire.ts';

export function toMockBody(body: Json): Json {
  const choice = body.tool_choice?.type ?? 'auto';
  const format = body.output_config?.format;
  return {
    model: body.model,
    stream: body.stream === true,
    ...(body.stream === true ? { stream_options: { include_usage: true } } : {}),
    messages: [
      ...(body.system === undefined ? [] : [{ role: 'system', content: textOf(body.system) }]),
      ...body.messages.flatMap(toMockMessages),
    ],
    ...(body.tools === undefined
      ? {}
      : {
          tools: body.tools.map(({ name, description, input_schema }: Json) => ({
            type: 'function',
            function: { name, description, parameters: input_schema },
          })),
          tool_choice: toMockChoice(choice, body.tool_choice?.name),
          parallel_tool_calls: body.tool_choice?.disable_parallel_tool_use !== true,
        }),
    ...(format === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'answer', schema: format.schema },
          },
        }),
  };
}

function toMockChoice(type: string, name: string): Json {
  if (type === 'tool') return { type: 'function', function: { name } };
  return type === 'any' ? 'required' : type;
}

function toMockMessages({ role, content }: Json): Json[] {
  if (typeof content === 'string') return [{ role, content }];
  if (role === 'assistant') {
    const calls = content.filter((block: Json) => block.type === 'tool_use');
    const tool_calls = calls.map(({ id, name, input }: Json) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(input) },
    }));
    return [{ role, content: textOf(content), ...(calls.length === 0 ? {} : { tool_calls }) }];
  }
  const results = content.filter((block: Json) => block.type === 'tool_result');
  const parts = content.filter((block: Json) => block.type !== 'tool_result').map(toMockPart);
  return [
    ...results.map((block: Json) => ({
      role: 'tool',
      tool_call_id: block.tool_use_id,
      content: textOf(block.content),
    })),
    ...(parts.length === 0 ? [] : [{ role, content: parts }]),
  ];
}

function toMockPart(block: Json): Json {
  if (block.type === 'text') return { type: 'text', text: block.text };
  if (block.type === 'image') return { type: 'image_url', image_url: { url: 'https://a/b' } };
  return { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==' } };
}

function textOf(content: Json): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((block: Json) => block.text ?? '').join('');
}
