/**
 * The request as the server gets it: the path of its operation, the gateway's own headers, and
 * the canonical body in the server's shape. No header of the client travels on.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { EncodedRequest, ProviderCall } from '../../gateway/ports/provider.ts';
import type { UpstreamRequest } from '../../gateway/ports/upstream.ts';
import { assert } from '../../kernel/assert.ts';
import { encodeChat } from '../../wire/ollama/encode-chat.ts';
import { encodeCompletion, encodeEmbedding } from '../../wire/ollama/encode-prompt.ts';
import type { OllamaDropped, Report } from '../../wire/ollama/limits.ts';
import type { OllamaConnection } from './settings.ts';

type Headers = Readonly<Record<string, string>>;

export interface RequestHeaders {
  readonly plain: Headers;
  readonly stream: Headers;
}

const OPERATIONS = {
  chat: { path: '/api/chat', encode: encodeChat },
  completion: { path: '/api/generate', encode: encodeCompletion },
  embedding: { path: '/api/embed', encode: encodeEmbedding },
} as const;

/** The headers of every request to one provider; made once. */
export function requestHeaders(connection: OllamaConnection): RequestHeaders {
  const common: Record<string, string> = {
    'user-agent': 'esclusa',
    ...connection.headers,
    'content-type': 'application/json',
    'accept-encoding': 'identity', // an answer is read as it comes
  };
  if (connection.apiKey !== null) common.authorization = `Bearer ${connection.apiKey}`;
  return {
    plain: { accept: 'application/json', ...common },
    stream: { accept: 'application/x-ndjson', ...common },
  };
}

/** The list of models that the server has. */
export function encodeProbe({ plain }: RequestHeaders): UpstreamRequest {
  return { method: 'GET', path: '/api/tags', headers: plain, body: null };
}

export function encodeRequest(
  { contextTokens, keepAlive }: OllamaConnection,
  headers: RequestHeaders,
  { request, target }: ProviderCall,
): EncodedRequest {
  const { operation, stream } = request;
  assert(operation !== 'count_tokens', 'tokens are estimated where they are not counted');
  const dropped = new Set<OllamaDropped>();
  const report: Report = { drop: (field) => dropped.add(field), refuse: notSupported };
  const { path, encode } = OPERATIONS[operation];
  const settings = { model: target.model, stream, contextTokens, keepAlive };
  const { text } = encode(request.body, settings, report);
  return {
    method: 'POST',
    path,
    headers: stream ? headers.stream : headers.plain,
    body: Buffer.from(text),
    dropped: [...dropped].sort(),
  };
}

function notSupported(name: string, field = name): GatewayError {
  const what = `\`${field}\` cannot be sent to this provider as it is`;
  const message = `${what}; leave it out, or choose another model.`;
  return new GatewayError('field_not_supported', { field, message });
}
