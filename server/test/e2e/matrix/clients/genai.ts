/**
 * The official `@google/genai` package, in both lines that are in use: 2.x calls below
 * `/v1beta`, 3.x below `/v1`.
 */
import assert from 'node:assert/strict';
import {
  ApiError,
  type Content,
  FunctionCallingConfigMode,
  type GenerateContentParameters,
  type GenerateContentResponse,
  GoogleGenAI,
  Type,
} from '@google/genai';
import { ApiError as ApiError2, GoogleGenAI as GoogleGenAI2 } from 'genai-2';
import {
  BOTH,
  type Client,
  type Driver,
  HELLO,
  MOST_ROUNDS,
  PIXEL_BASE64,
  PIXEL_URL,
  type Refused,
  runTool,
  SHAPE_SCHEMA,
  TOOLS,
} from '../driver.ts';

export const genai3: Driver = {
  name: '@google/genai 3.x',
  connect: (baseUrl, apiKey) =>
    contentsClient(new GoogleGenAI({ apiKey, httpOptions: { baseUrl } }), ApiError),
};

/** The lines differ in paths; what is called here is the same in both. */
export const genai2: Driver = {
  name: '@google/genai 2.x',
  connect: (baseUrl, apiKey) =>
    contentsClient(
      new GoogleGenAI2({ apiKey, httpOptions: { baseUrl } }) as unknown as GoogleGenAI,
      ApiError2 as unknown as typeof ApiError,
    ),
};

const tools = [
  {
    functionDeclarations: TOOLS.map(({ name, description }) => ({
      ...{ name, description },
      parameters: {
        type: Type.OBJECT,
        properties: { city: { type: Type.STRING } },
        required: ['city'],
      },
    })),
  },
];

type Ask = GenerateContentParameters;

function contentsClient({ models }: GoogleGenAI, Own: typeof ApiError): Client {
  const generate = async (ask: Ask, stream: boolean): Promise<GenerateContentResponse[]> => {
    if (!stream) return [await models.generateContent(ask)];
    return Array.fromAsync(await models.generateContentStream(ask));
  };
  return {
    async text(model) {
      return told(await generate({ model, contents: HELLO }, false));
    },
    async stream(model) {
      const chunks = await generate({ model, contents: HELLO }, true);
      return { ...told(chunks), pieces: chunks.filter(({ text }) => text).length };
    },
    tools: (model, stream) => loop((ask) => generate(ask, stream), model),
    async demand(model) {
      const functionCallingConfig = {
        mode: FunctionCallingConfigMode.ANY,
        allowedFunctionNames: ['get_population'],
      };
      const config = { tools, toolConfig: { functionCallingConfig } };
      const answers = await generate({ model, contents: HELLO, config }, false);
      return callsIn(answers).map(({ name = '' }) => name);
    },
    async shape(model, stream) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: SHAPE_SCHEMA };
      return JSON.parse(textOf(await generate({ model, contents: HELLO, config }, stream)));
    },
    async image(model, url) {
      const mimeType = 'image/png';
      const shown =
        url === PIXEL_URL
          ? { inlineData: { mimeType, data: PIXEL_BASE64 } }
          : { fileData: { mimeType, fileUri: url } };
      const parts = [{ text: 'What is in the picture?' }, shown];
      return textOf(await generate({ model, contents: [{ role: 'user', parts }] }, false));
    },
    async embed(model, texts) {
      const { embeddings = [] } = await models.embedContent({ model, contents: [...texts] });
      return embeddings.map(({ values = [] }) => values);
    },
    async count(model) {
      return (await models.countTokens({ model, contents: HELLO })).totalTokens ?? 0;
    },
    abort: (model) => abort(models, model),
    readings: {
      async loop(model, hear) {
        const stream = await models.generateContentStream({ model, contents: HELLO });
        for await (const { text } of stream) hear(text ?? '');
      },
    },
    refused(thrown, status) {
      const { wire, ...told } = failed(thrown, Own);
      assert.equal(wire.code, status);
      assert.match(wire.status, WORDS[status] ?? /^UNAVAILABLE$/, told.message);
      return told;
    },
    broken(thrown) {
      const { status = 0, code = '' } = failed(thrown, Own);
      assert.ok(status >= 500, String(status));
      assert.match(code, /^(?:upstream_|server_error)/);
    },
  };
}

/** The package puts the body of an error into its message. */
function failed(thrown: unknown, Own: typeof ApiError): Refused & { readonly wire: Wire } {
  assert.ok(thrown instanceof Own, String(thrown));
  const { error } = JSON.parse(thrown.message.replace(/^got status: \w+\. /, ''));
  const info = (error as Wire).details.find(({ '@type': type }) => type.endsWith('ErrorInfo'));
  const { status, message } = thrown;
  return { status, message, code: info?.reason?.toLowerCase(), wire: error };
}

async function abort(models: GoogleGenAI['models'], model: string): Promise<void> {
  const leaving = new AbortController();
  const config = { abortSignal: leaving.signal };
  const stream = await models.generateContentStream({ model, contents: HELLO, config });
  const reading = (async () => {
    for await (const { text } of stream) if (text) leaving.abort();
  })();
  await assert.rejects(reading, { name: 'AbortError' });
}

interface Wire {
  readonly code: number;
  readonly status: string;
  readonly details: readonly {
    readonly '@type': string;
    readonly reason?: string;
  }[];
}

/** The words of Google's API, by the status that the client sees; an upstream's own are kept. */
const WORDS: Readonly<Record<number, RegExp>> = {
  400: /^INVALID_ARGUMENT$/,
  404: /^NOT_FOUND$/,
  413: /^(?:INVALID_ARGUMENT|UNKNOWN)$/,
  422: /^(?:INVALID_ARGUMENT|UNKNOWN)$/,
  429: /^RESOURCE_EXHAUSTED$/,
  502: /^(?:UNAVAILABLE|INTERNAL|UNKNOWN)$/,
  503: /^(?:UNAVAILABLE|INTERNAL|UNKNOWN)$/,
  504: /^DEADLINE_EXCEEDED$/,
};

function told(answers: readonly GenerateContentResponse[]) {
  const last = answers.at(-1);
  return {
    text: textOf(answers),
    isWhole: last?.candidates?.[0]?.finishReason === 'STOP',
    outputTokens: last?.usageMetadata?.candidatesTokenCount,
  };
}

async function loop(generate: (ask: Ask) => Promise<GenerateContentResponse[]>, model: string) {
  const called: string[] = [];
  const contents: Content[] = [{ role: 'user', parts: [{ text: BOTH }] }];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const answers = await generate({ model, contents, config: { tools } });
    const calls = callsIn(answers);
    if (calls.length === 0) return { called, text: textOf(answers) };
    const parts = answers.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
    const results = calls.map(({ id, name = '', args }) => ({
      functionResponse: {
        ...(id === undefined ? {} : { id }),
        ...{ name, response: { output: runTool(called, name, args) } },
      },
    }));
    contents.push({ role: 'model', parts }, { role: 'user', parts: results });
  }
  return assert.fail('the loop does not end');
}

function callsIn(answers: readonly GenerateContentResponse[]) {
  return answers.flatMap(({ functionCalls }) => functionCalls ?? []);
}

function textOf(answers: readonly GenerateContentResponse[]): string {
  return answers
    .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
    .map(({ text = '', thought }) => (thought === true ? '' : text))
    .join('');
}
