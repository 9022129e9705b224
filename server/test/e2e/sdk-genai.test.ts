/**
 * Goal: programs written with the official `@google/genai` package, in both lines that are in
 * use, run unchanged when its base URL and key are the gateway's. Method: the package itself,
 * the whole gateway, and each of the ways to a model: the mock in the process, a compatible
 * vendor over real sockets, and a scripted server of Gemini's API that refuses what the real
 * one refuses.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  type CallableTool,
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentResponse,
  type GoogleGenAI,
  Type,
} from '@google/genai';
import { ADMIN_KEY } from '../support/gateway.ts';
import {
  CACHED_TOKENS,
  COUNTED_TOKENS,
  THOUGHT,
  THOUGHT_TOKENS,
} from '../support/scripted-gemini/index.ts';
import { until } from '../support/until.ts';
import {
  COUNTING_WAYS,
  GENAI_WAYS,
  type GenaiSurroundings,
  LINES,
  type Line,
  NATIVE_WAYS,
  startGenaiSurroundings,
  WAYS_WITHOUT_DEMANDS,
  WAYS_WITHOUT_VECTORS,
} from './genai-surroundings.ts';
import { rowOf, rowsOf } from './surroundings.ts';

let around: GenaiSurroundings;

before(async () => {
  around = await startGenaiSurroundings();
});

after(() => around.close());

afterEach(() => around.forget());

const HELLO = 'Say hello.';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA' +
  'AABJRU5ErkJggg==';
const BOTH = 'What are the weather and the population in Madrid?';

const CITY_TOOLS = [
  {
    functionDeclarations: [tool('get_weather'), tool('get_population')],
  },
];

function tool(name: string) {
  return {
    name,
    description: `${name} of a city`,
    parameters: {
      type: Type.OBJECT,
      properties: { city: { type: Type.STRING } },
      required: ['city'],
    },
  };
}

function clientOf(line: Line): GoogleGenAI {
  return around.client(line, ADMIN_KEY);
}

async function collect(stream: AsyncIterable<GenerateContentResponse>) {
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = chunks.map((chunk) => chunk.text ?? '').join('');
  const finish = chunks.at(-1)?.candidates?.[0]?.finishReason;
  return { chunks, text, finish, usage: chunks.at(-1)?.usageMetadata };
}

function idOf(answer: GenerateContentResponse): string | null {
  return answer.sdkHttpResponse?.headers?.['x-request-id'] ?? null;
}

for (const line of LINES) {
  for (const way of GENAI_WAYS) {
    const model = `${way}/mock`;
    const title = `${line} over ${way}`;

    test(`${title}: text comes with usage, and with its row in the ledger`, async () => {
      const answer = await clientOf(line).models.generateContent({ model, contents: HELLO });

      assert.match(answer.text ?? '', /^You wrote: “Say hello\.”/);
      assert.equal(answer.candidates?.[0]?.finishReason, 'STOP');
      assert.equal(answer.candidates?.[0]?.content?.role, 'model');
      const row = await rowOf(around.gateway, idOf(answer));
      assert.deepEqual(
        [row.outcome, row.provider, row.usage.source],
        ['completed', way, 'provider'],
      );
      assert.equal(row.usage.input_tokens, answer.usageMetadata?.promptTokenCount);
      assert.equal(row.usage.output_tokens, answer.usageMetadata?.candidatesTokenCount);
    });

    test(`${title}: a stream gives the plain answer’s text, its end and its usage`, async () => {
      const ai = clientOf(line);
      const plain = await ai.models.generateContent({ model, contents: HELLO });
      const { chunks, text, finish, usage } = await collect(
        await ai.models.generateContentStream({ model, contents: HELLO }),
      );

      assert.equal(text, plain.text);
      assert.equal(finish, 'STOP');
      assert.ok(chunks.length > 3);
      assert.equal(usage?.candidatesTokenCount, plain.usageMetadata?.candidatesTokenCount);
      const row = await rowOf(around.gateway, idOf(chunks[0] as GenerateContentResponse));
      assert.equal(row.outcome, 'completed');
      assert.equal(row.usage.output_tokens, usage?.candidatesTokenCount);
    });

    test(`${title}: a chat keeps its history, plain and streamed`, async () => {
      const chat = clientOf(line).chats.create({
        model,
        config: { systemInstruction: 'Be brief.' },
      });
      const first = await chat.sendMessage({ message: 'One.' });
      const { text } = await collect(await chat.sendMessageStream({ message: 'Two.' }));
      const third = await chat.sendMessage({ message: 'Three.' });

      assert.match(first.text ?? '', /“One\.”/);
      assert.match(text, /“Two\.”/);
      assert.match(third.text ?? '', /“Three\.”/);
      const roles = chat.getHistory(true).map(({ role }) => role);
      assert.deepEqual(roles.filter((role, at) => role !== roles[at - 1]).length, 6);
    });

    test(`${title}: two functions are called at once, and their results answer`, async () => {
      const ai = clientOf(line);
      const contents: Content[] = [{ role: 'user', parts: [{ text: BOTH }] }];
      const strict = way === 'google' ? 'google/mock-strict' : model;
      const config = { tools: CITY_TOOLS };
      const asked = await ai.models.generateContent({ model, contents, config });
      const calls = asked.functionCalls ?? [];
      assert.deepEqual(calls.map(({ name }) => name).sort(), ['get_population', 'get_weather']);
      for (const { args } of calls) assert.deepEqual(args, { city: 'Madrid' });

      contents.push(asked.candidates?.[0]?.content as Content);
      const parts = calls.map(({ id, name }) => ({
        functionResponse: {
          ...(id === undefined ? {} : { id }),
          name: name as string,
          response: { output: name === 'get_weather' ? 'sunny' : '3400000' },
        },
      }));
      contents.push({ role: 'user', parts });
      const answer = await ai.models.generateContent({ model: strict, contents, config });

      assert.match(answer.text ?? '', /get_weather answered: sunny/);
      assert.match(answer.text ?? '', /get_population answered: 3400000/);
    });

    test(`${title}: results without ids find their calls by name and order`, async () => {
      const ai = clientOf(line);
      const config = { tools: CITY_TOOLS };
      const contents: Content[] = [
        { role: 'user', parts: [{ text: BOTH }] },
        {
          role: 'model',
          parts: [
            { functionCall: { name: 'get_weather', args: { city: 'Madrid' } } },
            { functionCall: { name: 'get_population', args: { city: 'Madrid' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { name: 'get_weather', response: { output: 'rainy' } } },
            { functionResponse: { name: 'get_population', response: { output: '12' } } },
          ],
        },
      ];
      const answer = await ai.models.generateContent({ model, contents, config });

      assert.match(answer.text ?? '', /get_weather answered: rainy/);
      assert.match(answer.text ?? '', /get_population answered: 12/);
    });

    test(`${title}: the package runs functions by itself, also on streams`, async () => {
      const ai = clientOf(line);
      const called: string[] = [];
      const config = { tools: [callable(called)] };
      const ask = { model, contents: 'What is the weather in Madrid?', config };
      const answer = await ai.models.generateContent(ask);
      const { text } = await collect(await ai.models.generateContentStream(ask));

      assert.deepEqual(called, ['get_weather Madrid', 'get_weather Madrid']);
      assert.match(answer.text ?? '', /get_weather answered/);
      assert.match(text, /get_weather answered/);
    });

    test(`${title}: calls of a stream come whole, and the mode of calling is heard`, async () => {
      const ai = clientOf(line);
      const stream = await ai.models.generateContentStream({
        ...{ model, contents: BOTH },
        config: { tools: CITY_TOOLS },
      });
      const { chunks } = await collect(stream);
      const calls = chunks.flatMap(({ functionCalls }) => functionCalls ?? []);
      const withMode = (mode: FunctionCallingConfigMode, allowedFunctionNames?: string[]) => ({
        tools: CITY_TOOLS,
        toolConfig: {
          functionCallingConfig: {
            mode,
            ...(allowedFunctionNames ? { allowedFunctionNames } : {}),
          },
        },
      });
      const none = await ai.models.generateContent({
        ...{ model, contents: BOTH },
        config: withMode(FunctionCallingConfigMode.NONE),
      });

      assert.deepEqual(
        calls.map(({ args }) => args),
        [{ city: 'Madrid' }, { city: 'Madrid' }],
      );
      assert.equal(none.functionCalls, undefined);
      const demanded = ai.models.generateContent({
        ...{ model, contents: HELLO },
        config: withMode(FunctionCallingConfigMode.ANY, ['get_population']),
      });
      if (WAYS_WITHOUT_DEMANDS.has(way)) {
        return assert.rejects(demanded, { name: 'ApiError', status: 422 });
      }
      const made = (await demanded).functionCalls;
      assert.deepEqual(
        made?.map(({ name }) => name),
        ['get_population'],
      );
    });

    test(`${title}: structured output fits its schema, in either kind of schema`, async () => {
      const ai = clientOf(line);
      const responseMimeType = 'application/json';
      const own = await ai.models.generateContent({
        ...{ model, contents: HELLO },
        config: {
          responseMimeType,
          responseSchema: {
            type: Type.OBJECT,
            properties: {
              title: { type: Type.STRING },
              day: { type: Type.STRING, enum: ['monday', 'friday'] },
              guests: { type: Type.ARRAY, items: { type: Type.STRING }, minItems: '1' },
            },
            required: ['title', 'day', 'guests'],
          },
        },
      });
      const json = await ai.models.generateContent({
        ...{ model, contents: HELLO },
        config: {
          responseMimeType,
          responseJsonSchema: {
            type: 'object',
            properties: { seats: { type: 'integer', minimum: 3, maximum: 3 } },
            required: ['seats'],
          },
        },
      });
      const free = await ai.models.generateContent({
        ...{ model, contents: HELLO },
        config: { responseMimeType },
      });

      const event = JSON.parse(own.text ?? '');
      assert.equal(typeof event.title, 'string');
      assert.ok(['monday', 'friday'].includes(event.day));
      assert.ok(Array.isArray(event.guests) && event.guests.length > 0);
      assert.deepEqual(JSON.parse(json.text ?? ''), { seats: 3 });
      assert.equal(typeof JSON.parse(free.text ?? ''), 'object');
    });

    test(`${title}: an image within the request reaches the model`, async () => {
      const answer = await clientOf(line).models.generateContent({
        model,
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'What is in the picture?' },
              { inlineData: { mimeType: 'image/png', data: PIXEL } },
            ],
          },
        ],
      });

      assert.match(answer.text ?? '', /one image/);
    });

    test(`${title}: embeddings of one and of several texts come, or are refused`, async () => {
      const ai = clientOf(line);
      if (WAYS_WITHOUT_VECTORS.has(way)) {
        const call = ai.models.embedContent({ model, contents: 'the sea' });
        return assert.rejects(call, { name: 'ApiError', status: 400 });
      }
      const one = await ai.models.embedContent({ model, contents: 'the sea' });
      const two = await ai.models.embedContent({
        model,
        contents: ['the sea', 'the mountain'],
        config: { outputDimensionality: 8 },
      });
      const values = (answer: typeof one) => answer.embeddings?.map((item) => item.values) ?? [];

      assert.equal(values(one).length, 1);
      assert.ok((values(one)[0]?.length ?? 0) > 8);
      assert.equal(values(two).length, 2);
      assert.deepEqual(
        values(two).map((vector) => vector?.length),
        [8, 8],
      );
      assert.notDeepEqual(values(two)[0], values(two)[1]);
    });

    test(`${title}: tokens are counted by who can, else estimated, and cost nothing`, async () => {
      const counted = await clientOf(line).models.countTokens({ model, contents: HELLO });

      const counts = COUNTING_WAYS.has(way);
      const headers = counted.sdkHttpResponse?.headers ?? {};
      assert.equal(headers['x-esclusa-estimated'], counts ? undefined : 'input_tokens');
      if (way === 'google') assert.equal(counted.totalTokens, COUNTED_TOKENS);
      else assert.ok((counted.totalTokens ?? 0) > 3);
      const row = await rowOf(around.gateway, headers['x-request-id'] ?? null);
      assert.equal(row.cost_nanousd, 0);
    });

    test(`${title}: an aborted stream throws, and is booked as aborted`, async () => {
      const slow = `${way}/mock-genai-${line}:tps=20`;
      const abort = new AbortController();
      const stream = await clientOf(line).models.generateContentStream({
        ...{ model: slow, contents: HELLO },
        config: { abortSignal: abort.signal },
      });

      await assert.rejects(
        async () => {
          for await (const chunk of stream) if (chunk.text) abort.abort();
        },
        { name: 'AbortError' },
      );
      const row = await until('a row', async () => (await rowsOf(around.gateway, slow))[0]);
      assert.equal(row.outcome, 'aborted');
    });
  }

  for (const way of NATIVE_WAYS) {
    test(`${line} over ${way}: thoughts, their tokens and cached tokens pass through`, async () => {
      const answer = await clientOf(line).models.generateContent({
        model: `${way}/mock`,
        contents: HELLO,
        config: { thinkingConfig: { includeThoughts: true } },
      });

      const [thought] = answer.candidates?.[0]?.content?.parts ?? [];
      assert.deepEqual(thought, { text: THOUGHT, thought: true });
      const { usageMetadata: usage } = answer;
      assert.deepEqual(
        [usage?.thoughtsTokenCount, usage?.cachedContentTokenCount],
        [THOUGHT_TOKENS, CACHED_TOKENS],
      );
      const row = await rowOf(around.gateway, idOf(answer));
      assert.equal(row.usage.output_tokens, (usage?.candidatesTokenCount ?? 0) + THOUGHT_TOKENS);
    });
  }

  test(`${line}: a document and a file at an address reach Gemini as they were sent`, async () => {
    const parts = [
      { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } },
      { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } },
      { text: 'Compare.' },
    ];
    await clientOf(line).models.generateContent({
      model: 'google/mock',
      contents: [{ role: 'user', parts }],
    });

    const sent = JSON.parse(String(around.google.calls[0]?.body));
    assert.deepEqual(sent.contents, [{ role: 'user', parts }]);
  });
}

function callable(called: string[]): CallableTool {
  return {
    tool: async () => ({ functionDeclarations: [tool('get_weather')] }),
    callTool: async (calls) =>
      calls.map(({ id, name = '', args }) => {
        called.push(`${name} ${args?.city}`);
        return {
          functionResponse: {
            ...(id === undefined ? {} : { id }),
            name,
            response: { sky: 'blue' },
          },
        };
      }),
  };
}
