/**
 * Requests made at random: conversations as clients of the dialect have them, in the one form
 * that this dialect and the canonical one can both say.
 */
import fc from 'fast-check';

const text = fc.string({ minLength: 1, maxLength: 20 });
const id = fc.stringMatching(/^toolu_[A-Za-z0-9]{4,12}$/);
const marker = fc.option(fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }), {
  nil: undefined,
});
const marked = (block: fc.Arbitrary<object>) =>
  fc
    .tuple(block, marker)
    .map(([made, cache_control]) =>
      cache_control === undefined ? made : { ...made, cache_control },
    );
const textBlock = marked(text.map((said) => ({ type: 'text', text: said })));
const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((b) => Buffer.from(b).toString('base64'));
const image = marked(
  fc
    .oneof(
      base64.map((data) => ({ type: 'base64', media_type: 'image/png', data })),
      fc.webUrl({ validSchemes: ['https'] }).map((url) => ({ type: 'url', url })),
    )
    .map((source) => ({ type: 'image', source })),
);
const document = marked(
  fc
    .tuple(
      fc.oneof(
        base64.map((data) => ({ type: 'base64', media_type: 'application/pdf', data })),
        fc.webUrl({ validSchemes: ['https'] }).map((url) => ({ type: 'url', url })),
        text.map((data) => ({ type: 'text', media_type: 'text/plain', data: data.toWellFormed() })),
      ),
      fc.option(text, { nil: undefined }),
    )
    .map(([source, title]) => ({ type: 'document', source, ...(title && { title }) })),
);
const parts = fc.array(fc.oneof(textBlock, image, document), { minLength: 2, maxLength: 3 });
const thought = fc.oneof(
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: id }),
  fc.record({ type: fc.constant('redacted_thinking'), data: id }),
);
const input = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 2 }));

const turn = fc
  .record({
    ask: fc.oneof(text, parts),
    thoughts: fc.array(thought, { maxLength: 2 }),
    said: fc.array(textBlock, { maxLength: 2 }),
    calls: fc.uniqueArray(fc.tuple(id, text, input), { maxLength: 3, selector: ([key]) => key }),
    results: fc.array(fc.oneof(text, fc.array(textBlock, { minLength: 2, maxLength: 2 })), {
      minLength: 3,
      maxLength: 3,
    }),
    failed: fc.boolean(),
    answer: text,
  })
  .map(({ ask, thoughts, said, calls, results, failed, answer }) => {
    if (calls.length === 0)
      return [
        { role: 'user', content: ask },
        { role: 'assistant', content: answer },
      ];
    const content = [
      ...thoughts,
      ...said,
      ...calls.map(([key, name, value]) => ({ type: 'tool_use', id: key, name, input: value })),
    ];
    const result = ([key]: readonly [string, ...unknown[]], at: number) => ({
      type: 'tool_result',
      tool_use_id: key,
      content: results[at],
      ...(failed && { is_error: true }),
    });
    return [
      { role: 'user', content: ask },
      { role: 'assistant', content },
      { role: 'user', content: calls.map(result) },
      { role: 'assistant', content: answer },
    ];
  });
const tool = fc.record({
  name: fc.stringMatching(/^[a-z_]{1,9}$/),
  description: text,
  input_schema: fc.constant({ type: 'object', properties: { city: { type: 'string' } } }),
});
export const request = fc
  .record(
    {
      system: fc.oneof(text, fc.array(textBlock, { minLength: 2, maxLength: 3 })),
      temperature: fc.double({ min: 0, max: 1, noNaN: true }),
      top_p: fc.double({ min: 0, max: 1, noNaN: true }),
      top_k: fc.nat({ max: 500 }),
      stop_sequences: fc.array(text, { minLength: 1, maxLength: 4 }),
      metadata: fc.record({ user_id: text }),
      service_tier: fc.constantFrom('auto', 'standard_only'),
      stream: fc.constant(true),
      tools: fc.array(marked(tool), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .chain((settings) =>
    fc.record({
      settings: fc.constant(settings),
      turns: fc.array(turn, { maxLength: 3 }),
      question: fc.oneof(text, parts),
      choice: fc.constantFrom(
        undefined,
        { type: 'auto' },
        { type: 'any', disable_parallel_tool_use: true },
        { type: 'tool', name: 'f', disable_parallel_tool_use: false },
        { type: 'none' },
      ),
      max_tokens: fc.integer({ min: 1, max: 9999 }),
    }),
  )
  .map(({ settings, turns, question, choice, max_tokens }) => ({
    model: 'm',
    max_tokens,
    ...settings,
    ...(settings.tools !== undefined && choice !== undefined && { tool_choice: choice }),
    messages: [...turns.flat(), { role: 'user', content: question }],
  }));
