/** What tests of the official `openai` package share. */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';

/** Reads a stream to its end. */
export async function collect(stream: AsyncIterable<ChatCompletionChunk>) {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  const finish = chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason;
  return { chunks, text, finish };
}

/** Two tools as the package runs them; what was called is noted. */
export function cityTools(called: string[]) {
  const tool = (name: string, result: string) => ({
    type: 'function' as const,
    function: {
      name,
      description: `${name} of a city`,
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
      },
      parse: (text: string) => JSON.parse(text) as { city: string },
      function: ({ city }: { city: string }) => {
        called.push(`${name} ${city}`);
        return result;
      },
    },
  });
  return [tool('get_weather', 'sunny'), tool('get_population', '3400000')];
}
