/** Two tools as the official `openai` package runs them; what was called is noted. */
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
