/**
 * A request of this wire put to the mock in OpenAI's words, as plainly as the mock needs it:
 * texts, images, tools, results of tools, and the shape of the answer.
 */
import type { Json } from '../scripted-wire.ts';

export function toMockBody(body: Json, model: string, stream: boolean): Json {
  const { generationConfig: config = {}, systemInstruction, tools = [], contents } = body;
  const functions = tools.flatMap((tool: Json) => tool.functionDeclarations ?? []);
  const schema = config.responseJsonSchema ?? lowered(config.responseSchema);
  return {
    model,
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    n: config.candidateCount ?? 1,
    max_tokens: config.maxOutputTokens,
    messages: [
      ...(systemInstruction ? [{ role: 'system', content: textOf(systemInstruction) }] : []),
      ...toMockMessages(contents),
    ],
    ...(functions.length === 0
      ? {}
      : { tools: functions.map(toMockTool), tool_choice: toMockChoice(body.toolConfig) }),
    ...(config.responseMimeType !== 'application/json'
      ? {}
      : {
          response_format:
            schema === undefined
              ? { type: 'json_object' }
              : { type: 'json_schema', json_schema: { name: 'answer', schema } },
        }),
  };
}

export function textOf(content: Json): string {
  return (content.parts ?? []).map((part: Json) => part.text ?? '').join('');
}

function toMockTool({ name, description, parameters, parametersJsonSchema }: Json): Json {
  return {
    type: 'function',
    function: { name, description, parameters: parametersJsonSchema ?? lowered(parameters) },
  };
}

/** Google's own schema with its types in small letters, which is all that the mock reads. */
function lowered(schema: Json): Json {
  if (schema === undefined) return undefined;
  const text = JSON.stringify(schema, (key, value) =>
    key === 'type' && typeof value === 'string' ? value.toLowerCase() : value,
  );
  return JSON.parse(text);
}

function toMockChoice(toolConfig: Json): Json {
  const { mode = 'AUTO', allowedFunctionNames: names = [] } =
    toolConfig?.functionCallingConfig ?? {};
  if (mode === 'NONE') return 'none';
  if (mode !== 'ANY') return 'auto';
  return names.length === 1 ? { type: 'function', function: { name: names[0] } } : 'required';
}

function toMockMessages(contents: Json[]): Json[] {
  let calls = 0;
  const open: { id: string; name: string }[] = [];
  return contents.flatMap(({ role, parts }) => {
    if (role === 'model') {
      const made = parts.flatMap((part: Json) => part.functionCall ?? []);
      const tool_calls = made.map(({ name, args }: Json) => {
        const id = `call_${calls++}`;
        open.push({ id, name });
        return { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
      });
      const content = textOf({ parts: parts.filter((part: Json) => part.thought !== true) });
      return [{ role: 'assistant', content, ...(made.length === 0 ? {} : { tool_calls }) }];
    }
    const results = parts.flatMap((part: Json) => part.functionResponse ?? []);
    const rest = parts.filter((part: Json) => part.functionResponse === undefined);
    return [
      ...results.map(({ name, response }: Json) => {
        const at = open.findIndex((call) => call.name === name);
        const [{ id }] = open.splice(at, 1) as unknown as [{ id: string }];
        return { role: 'tool', tool_call_id: id, content: resultText(response) };
      }),
      ...(rest.length === 0 ? [] : [{ role: 'user', content: rest.map(toMockPart) }]),
    ];
  });
}

function resultText(response: Json): string {
  const { output, error } = response;
  return typeof (output ?? error) === 'string' ? (output ?? error) : JSON.stringify(response);
}

function toMockPart({ text, inlineData, fileData }: Json): Json {
  if (text !== undefined) return { type: 'text', text };
  const { mimeType } = inlineData ?? fileData;
  if (mimeType.startsWith('image/')) {
    return { type: 'image_url', image_url: { url: 'https://a/b' } };
  }
  return { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==' } };
}
