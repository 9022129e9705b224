/**
 * The endpoints of the Gemini dialect, which stand behind a model in the path:
 * `/v1beta/models/{model}:generateContent`, and the same below `/v1/models/`, where newer
 * clients call. A model may hold slashes (`provider/model`), percent-encoded or not.
 *
 * The path is decoded once, for the name of the model alone; what it decodes to is what is
 * authorised and run. A verb is told by its last colon, so names may hold colons as well.
 */
import {
  type CacheControl,
  GatewayError,
  type InferenceRequest,
  type Operation,
} from '../../gateway/index.ts';
import { lazy } from '../../kernel/lazy.ts';
import {
  type DecodedRequest,
  decodeCountRequest,
  decodeRequest,
  type RequestSource,
} from '../../wire/gemini/decode/request.ts';
import { decodeBatchEmbedRequest, decodeEmbedRequest } from '../../wire/gemini/embedding.ts';
import {
  type RequestFacts,
  readBatchEmbedRequest,
  readChatRequest,
  readCountRequest,
  readEmbedRequest,
} from '../../wire/gemini/read-request.ts';
import { checkModel, type ReadResult } from '../../wire/request-problem.ts';
import type { EndpointFamily, InferenceEndpoint } from '../endpoint.ts';
import type { ParsedBody } from '../parse-body.ts';
import { geminiListWriter, geminiWriter } from './writer.ts';

interface Verb {
  readonly operation: Operation;
  readonly stream: boolean;
  readonly read: (body: ParsedBody['body']) => ReadResult<RequestFacts>;
  readonly decode: (source: RequestSource) => DecodedRequest;
}

const GENERATE: Verb = {
  operation: 'chat',
  stream: false,
  read: readChatRequest,
  decode: decodeRequest,
};

/** A map, so that names of `Object.prototype` are no verbs. */
const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['generateContent', GENERATE],
  ['streamGenerateContent', { ...GENERATE, stream: true }],
  [
    'countTokens',
    {
      operation: 'count_tokens',
      stream: false,
      read: readCountRequest,
      decode: decodeCountRequest,
    },
  ],
  [
    'embedContent',
    {
      operation: 'embedding',
      stream: false,
      read: readEmbedRequest,
      decode: ({ model, body }) => decodeEmbedRequest(model, body),
    },
  ],
  [
    'batchEmbedContents',
    {
      operation: 'embedding',
      stream: false,
      read: readBatchEmbedRequest,
      decode: ({ model, body }) => decodeBatchEmbedRequest(model, body),
    },
  ],
]);

const MODEL_PATH = /^(\/v1(?:beta)?\/models)\/(.*):([^:/]*)$/;

export const geminiEndpoints: EndpointFamily = {
  writer: geminiWriter,
  owns: (path) => path.startsWith('/v1beta/') || MODEL_PATH.test(path),
  find(path, query) {
    const match = MODEL_PATH.exec(path);
    const [, folder = '', model = '', name = ''] = match ?? [];
    const verb = VERBS.get(name);
    if (match === null || verb === undefined) return undefined;
    const template = `${folder}/{model}:${name}`;
    return { ...endpoint(path, verb, decodedModel(model), query), template };
  },
};

function endpoint(
  path: string,
  verb: Verb,
  model: string | null,
  query: string,
): InferenceEndpoint {
  const isList = verb.stream && new URLSearchParams(query).get('alt') !== 'sse';
  const writer = isList ? geminiListWriter : geminiWriter;
  return {
    path,
    operation: verb.operation,
    writer,
    decode: (parsed, cacheControl) => decode(verb, model, parsed, cacheControl, isList),
  };
}

function decode(
  verb: Verb,
  model: string | null,
  parsed: ParsedBody,
  cacheControl: CacheControl,
  isList: boolean,
): InferenceRequest {
  const problem = checkModel(model);
  if (problem !== null) throw new GatewayError('invalid_request', problem);
  const result = verb.read(parsed.body);
  if (result.kind === 'refused') throw new GatewayError('invalid_request', result.problem);
  const { operation, stream } = verb;
  const named = model as string;
  const text = (): string => parsed.bytes.toString('utf8');
  const decoded = lazy(() => verb.decode({ model: named, stream, body: parsed.body, text }));
  return {
    operation,
    dialect: geminiWriter.dialect,
    model: named,
    stream,
    includeUsage: false, // its answers always say it, from what the frames tell
    ...result.facts,
    get body() {
      return decoded().body;
    },
    bytes: parsed.bytes,
    members: parsed.members,
    cacheControl,
    foreign: {
      body: parsed.body,
      headers: {},
      get needed() {
        return decoded().needed;
      },
      get dropped() {
        return decoded().dropped;
      },
      framing: isList ? 'list' : 'events',
    },
  };
}

/** null where the encoding is broken. */
function decodedModel(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
