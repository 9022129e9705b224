/**
 * The request as the provider gets it: the path with its model and its verb, the gateway's own
 * headers, and either the client's bytes or the canonical body in this wire's shape. No header
 * of the client travels on.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { EncodedRequest, ProviderCall } from '../../gateway/ports/provider.ts';
import type { UpstreamRequest } from '../../gateway/ports/upstream.ts';
import { isJsonArray } from '../../kernel/json.ts';
import { encodeEmbedRequest } from '../../wire/gemini/embedding.ts';
import type { Refusal } from '../../wire/gemini/encode/refuse.ts';
import { encodeRequest as encodeBody } from '../../wire/gemini/encode/request.ts';
import { rewriteModels } from '../../wire/gemini/rewrite-request.ts';
import { GEMINI_KIND, type GeminiConnection } from './settings.ts';

type Headers = Readonly<Record<string, string>>;

export interface RequestHeaders {
  readonly plain: Headers;
  readonly stream: Headers;
}

interface Encoded {
  readonly body: Buffer;
  readonly dropped: readonly string[];
}

/** The headers of every request to one provider; made once. */
export function requestHeaders(connection: GeminiConnection): RequestHeaders {
  const common: Record<string, string> = {
    'user-agent': 'esclusa',
    ...connection.headers,
    'content-type': 'application/json',
    'accept-encoding': 'identity', // bytes are passed through as they are
  };
  if (connection.apiKey !== null) common['x-goog-api-key'] = connection.apiKey;
  return {
    plain: { accept: 'application/json', ...common },
    stream: { accept: 'text/event-stream', ...common },
  };
}

export function encodeRequest(headers: RequestHeaders, call: ProviderCall): EncodedRequest {
  const { request, target } = call;
  const model = target.model.replace(/^models\//, '');
  const passes = request.dialect === GEMINI_KIND && request.foreign?.isExtended !== true;
  const { body, dropped } = passes
    ? { body: rewriteModels(request.bytes, request.members, model), dropped: [] }
    : encoded(request, model);
  return {
    method: 'POST',
    path: `/v1beta/${collectionOf(model)}:${verbOf(request)}`,
    headers: request.stream ? headers.stream : headers.plain,
    body,
    dropped,
  };
}

/** The list of models, as short as it can be had. */
export function encodeProbe({ plain }: RequestHeaders): UpstreamRequest {
  return { method: 'GET', path: '/v1beta/models?pageSize=1', headers: plain, body: null };
}

/** Tuned models have a collection of their own, which their names say. */
function collectionOf(model: string): string {
  const path = model.split('/').map(encodeURIComponent).join('/');
  return model.startsWith('tunedModels/') ? path : `models/${path}`;
}

function verbOf({ operation, stream, dialect, body }: InferenceRequest): string {
  switch (operation) {
    case 'count_tokens':
      return 'countTokens';
    case 'embedding':
      return dialect === GEMINI_KIND && !isJsonArray(body.input)
        ? 'embedContent'
        : 'batchEmbedContents';
    case 'chat':
      return stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
    default:
      throw notSupported('prompt');
  }
}

function encoded(request: InferenceRequest, model: string): Encoded {
  const { body, operation } = request;
  if (operation === 'embedding') {
    const encodedBody = encodeEmbedRequest(model, body);
    if (encodedBody === null) throw notSupported('input');
    return { body: Buffer.from(JSON.stringify(encodedBody)), dropped: [] };
  }
  if (operation === 'completion') throw notSupported('prompt');
  const { text, dropped } = encodeBody(body, GEMINI_KIND, refuse);
  if (operation !== 'count_tokens') return { body: Buffer.from(text), dropped };
  // Contents alone could be counted as they are; instructions and tools stand within a request.
  const named = `{"model":${JSON.stringify(`models/${model}`)},${text.slice(1)}`;
  return { body: Buffer.from(`{"generateContentRequest":${named}}`), dropped };
}

function refuse(refusal: Refusal): GatewayError {
  if (refusal.kind === 'unsupported') return notSupported(refusal.field);
  const message = `\`${refusal.field}\` names no tool call of an earlier message.`;
  return new GatewayError('invalid_request', { field: refusal.field, message });
}

function notSupported(field: string): GatewayError {
  const what = `\`${field}\` cannot be sent to this provider as it is`;
  const message = `${what}; leave it out, or choose another model.`;
  return new GatewayError('field_not_supported', { field, message });
}
