/**
 * Generated conversations and answers in canonical form, of nothing but what two wires can both
 * say. Arguments of calls come with white space, large numbers and odd keys, because they must
 * arrive byte for byte.
 */
import fc from 'fast-check';
import type { JsonObject } from '../../../src/kernel/json.ts';

/** As a text, or as the vendor's own signed pieces. */
export type Reasoning = 'signed' | 'text';

/** What a wire can say in a request and in an answer. */
export interface Abilities {
  /** Reasoning of earlier answers, in requests. */
  readonly reasoning: readonly Reasoning[];
  /** Reasoning in answers. */
  readonly answerReasoning: readonly Reasoning[];
  readonly images: 'data' | 'any';
  readonly documents: boolean;
  readonly failedTools: boolean;
  /** A tool's result may hold an image. */
  readonly toolImages: boolean;
  /** A call can be demanded, or forbidden while tools stand there. */
  readonly toolChoice: boolean;
  readonly jsonObject: boolean;
  readonly stop: boolean;
  readonly seed: boolean;
  readonly topK: boolean;
  readonly cacheMarkers: boolean;
  /** Tokens of the prompt's cache and of reasoning are told apart. */
  readonly usageDetails: boolean;
  readonly filtered: boolean;
  /** Texts and images keep their order within a message. */
  readonly order: boolean;
  /** Line breaks within arguments are kept; where not, they are a printer's and are left out. */
  readonly lines: boolean;
  readonly streamLines: boolean;
}

/** What both can say. */
export function both(a: Abilities, b: Abilities): Abilities {
  const flags = Object.keys(a).map((name) => {
    const key = name as keyof Abilities;
    return [key, a[key] === true && b[key] === true];
  });
  return {
    ...(Object.fromEntries(flags) as unknown as Abilities),
    reasoning: a.reasoning.filter((form) => b.reasoning.includes(form)),
    answerReasoning: a.answerReasoning.filter((form) => b.answerReasoning.includes(form)),
    images: a.images === 'any' && b.images === 'any' ? 'any' : 'data',
  };
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter(isPlainText);
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/);
const id = fc.stringMatching(/^[A-Za-z0-9]{1,6}_[A-Za-z0-9-]{0,20}$/);

/** Text that no wire trims or takes for nothing. */
function isPlainText(value: string): boolean {
  return value.trim() !== '' && value.isWellFormed();
}

/** A JSON object as a model might write it. */
const argumentsText = fc
  .tuple(
    fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
    fc.constantFrom(0, 1, 2),
    fc.constantFrom('', '"n": 12345678901234567890', '"f":1.0', '"2":0,"1":0', '"esclusa" : {}'),
  )
  .map(([members, space, extra]) => {
    const written = JSON.stringify(members, null, space);
    if (extra === '') return written;
    return written === '{}' ? `{${extra}}` : `${written.slice(0, -1)},${extra}}`;
  });

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';
const JPEG = '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJ';
const dataUrl = fc.constantFrom(`data:image/png;base64,${PNG}`, `data:image/jpeg;base64,${JPEG}`);
const webUrl = name.map((stem) => `https://example.com/${stem}.png`);

function image(can: Abilities) {
  const url = can.images === 'any' ? fc.oneof(dataUrl, webUrl) : dataUrl;
  return url.map((address) => ({ type: 'image_url', image_url: { url: address } }));
}

const document = fc
  .tuple(name, fc.uint8Array({ minLength: 1, maxLength: 30 }))
  .map(([stem, bytes]) => {
    const file_data = `data:application/pdf;base64,${Buffer.from(bytes).toString('base64')}`;
    return { type: 'file', file: { file_data, filename: `${stem}.pdf` } };
  });

function userContent(can: Abilities): fc.Arbitrary<unknown> {
  const said = text.map((value) => ({ type: 'text', text: value }));
  const shown = can.documents ? fc.oneof(image(can), document) : image(can);
  return fc.oneof(
    text,
    fc
      .tuple(said, fc.array(shown, { minLength: 1, maxLength: 3 }), fc.nat(3))
      .map(([first, rest, at]) => [...rest.slice(0, at), first, ...rest.slice(at)]),
  );
}

const call = (ids: string, tool: string, args: string) => ({
  id: ids,
  type: 'function',
  function: { name: tool, arguments: args },
});

function reasoning(forms: readonly Reasoning[]): fc.Arbitrary<JsonObject> {
  const none = fc.constant({});
  if (forms.length === 0) return none;
  if (!forms.includes('signed')) {
    return fc.oneof(
      none,
      text.map((reasoning_content) => ({ reasoning_content })),
    );
  }
  const pieces = fc.tuple(text, fc.base64String({ minLength: 8, maxLength: 16 }));
  return fc.oneof(
    none,
    pieces.map(([thinking, signature]) => ({
      reasoning_content: thinking,
      esclusa: { thinking_blocks: [{ type: 'thinking', thinking, signature }] },
    })),
  );
}

function result(can: Abilities) {
  const content: fc.Arbitrary<unknown> = can.toolImages
    ? fc.oneof(
        text,
        fc.tuple(text, image(can)).map(([value, shown]) => [{ type: 'text', text: value }, shown]),
      )
    : text;
  const failed = can.failedTools ? fc.boolean() : fc.constant(false);
  return fc.tuple(content, failed).map(([value, isError]) => ({
    content: value,
    ...(isError && typeof value === 'string' ? { esclusa: { is_error: true } } : {}),
  }));
}

/** A question, perhaps calls with their results, and an answer. */
function turn(can: Abilities, tools: readonly string[]) {
  const called = fc.tuple(
    fc.option(text, { nil: null }),
    reasoning(can.reasoning),
    fc.array(fc.tuple(fc.constantFrom(...tools), argumentsText, result(can)), {
      minLength: 1,
      maxLength: 3,
    }),
  );
  return fc
    .tuple(userContent(can), fc.option(called, { nil: null }), text, reasoning(can.reasoning))
    .map(([content, calls, answer, thought]) => ({ content, calls, answer, thought }));
}

/** A chat request. Ids are told apart by their place, so that no two are the same. */
export function conversation(can: Abilities): fc.Arbitrary<JsonObject> {
  return fc
    .uniqueArray(name, { minLength: 1, maxLength: 3, selector: (tool) => tool.toLowerCase() })
    .chain((tools) =>
      fc.record({
        tools: fc.constant(tools),
        system: fc.option(text, { nil: null }),
        turns: fc.array(turn(can, tools), { maxLength: 2 }),
        question: userContent(can),
        ids: fc.array(id, { minLength: 8, maxLength: 8 }),
        settings: settings(can, tools),
      }),
    )
    .map((parts) => requestOf(parts as unknown as Parts));
}

interface Parts {
  readonly tools: readonly string[];
  readonly system: string | null;
  readonly turns: readonly {
    content: unknown;
    calls:
      | readonly [string | null, JsonObject, readonly (readonly [string, string, JsonObject])[]]
      | null;
    answer: string;
    thought: JsonObject;
  }[];
  readonly question: unknown;
  readonly ids: readonly string[];
  readonly settings: JsonObject;
}

function requestOf({ tools, system, turns, question, ids, settings: chosen }: Parts): JsonObject {
  const messages: unknown[] = system === null ? [] : [{ role: 'system', content: system }];
  let place = 0;
  for (const { content, calls, answer, thought } of turns) {
    messages.push({ role: 'user', content });
    if (calls !== null) {
      const [said, before, called] = calls;
      const named = called.map(([tool, args, given]) => {
        place += 1;
        return { made: call(`${ids[place % ids.length]}${place}`, tool, args), given };
      });
      const tool_calls = named.map(({ made }) => made);
      messages.push({ role: 'assistant', content: said, ...before, tool_calls });
      for (const { made, given } of named) {
        messages.push({ role: 'tool', tool_call_id: made.id, ...given });
      }
    }
    messages.push({ role: 'assistant', content: answer, ...thought });
  }
  messages.push({ role: 'user', content: question });
  const described = tools.map((tool) => ({
    type: 'function',
    function: {
      name: tool,
      description: `Does ${tool}.`,
      parameters: { type: 'object', properties: { esclusa: { type: 'string' } } },
    },
  }));
  return { model: 'm', messages, tools: described, ...chosen } as unknown as JsonObject;
}

function settings(can: Abilities, tools: readonly string[]): fc.Arbitrary<JsonObject> {
  const forced = tools.map((tool) => ({ type: 'function', function: { name: tool } }));
  const choices = can.toolChoice ? ['auto', 'required', 'none', ...forced] : ['auto'];
  const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] };
  const json_schema = { name: 'answer', schema };
  const formats = [
    { type: 'json_schema', json_schema },
    ...(can.jsonObject ? [{ type: 'json_object' }] : []),
  ];
  return fc.record(
    {
      max_completion_tokens: fc.integer({ min: 1, max: 4000 }),
      temperature: fc.constantFrom(0, 0.5, 1),
      tool_choice: fc.constantFrom(...choices),
      response_format: fc.constantFrom(...formats),
      ...(can.stop ? { stop: fc.uniqueArray(text, { minLength: 1, maxLength: 3 }) } : {}),
      ...(can.seed ? { seed: fc.integer({ min: 0, max: 1000 }) } : {}),
      ...(can.topK ? { esclusa: fc.integer({ min: 1, max: 99 }).map((top_k) => ({ top_k })) } : {}),
    },
    { requiredKeys: ['max_completion_tokens'] },
  ) as unknown as fc.Arbitrary<JsonObject>;
}

/** A complete answer: text, calls, or both, its reasoning, why it ended, what it took. */
export function completion(can: Abilities): fc.Arbitrary<JsonObject> {
  const calls = fc.array(fc.tuple(id, name, argumentsText), { minLength: 1, maxLength: 3 });
  const filtered = can.filtered ? ['content_filter'] : [];
  const said = fc.oneof(
    fc.record({
      content: text,
      finish: fc.constantFrom('stop', 'length', ...filtered),
      calls: fc.constant([]),
    }),
    fc.record({
      content: fc.option(text, { nil: null }),
      finish: fc.constant('tool_calls'),
      calls,
    }),
  );
  return fc
    .tuple(said, reasoning(can.answerReasoning), usage(can))
    .map(([{ content, finish, calls: made }, thought, counted]) => {
      const named = made as readonly (readonly [string, string, string])[];
      const tool_calls = named.map(([own, tool, args], at) => call(`${own}${at}`, tool, args));
      const message = {
        role: 'assistant',
        content,
        ...thought,
        ...(tool_calls.length === 0 ? {} : { tool_calls }),
      };
      const choices = [{ index: 0, message, finish_reason: finish }];
      const head = { id: 'answer-1', object: 'chat.completion', created: 1_790_000_000 };
      return { ...head, model: 'm', choices, usage: counted } as unknown as JsonObject;
    });
}

function usage(can: Abilities) {
  const count = fc.integer({ min: 1, max: 5000 });
  return fc.tuple(count, count, count, count).map(([input, output, cached, thought]) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(can.usageDetails
      ? {
          prompt_tokens_details: { cached_tokens: Math.min(input, cached) },
          completion_tokens_details: { reasoning_tokens: Math.min(output, thought) },
        }
      : {}),
  }));
}
