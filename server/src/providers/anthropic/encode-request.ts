/**
 * The request as the provider gets it: its path, the gateway's own headers, and the client's
 * bytes or the canonical body in this wire's shape.
 *
 * Of the client's headers only the version and the features of the wire travel on, and only
 * with the client's own bytes, whose sense they give.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { Target } from '../../gateway/model/target.ts';
import type { EncodedRequest, ProviderCall } from '../../gateway/ports/provider.ts';
import type { UpstreamRequest } from '../../gateway/ports/upstream.ts';
import { encodeRequest as encodeBody, encodeCount } from '../../wire/anthropic/encode-request.ts';
import { rewriteRequest } from '../../wire/anthropic/rewrite-request.ts';
import type { AnthropicConnection } from './settings.ts';
import { mannerOf, passesThrough } from './wire.ts';

/** The limit of an answer where neither request nor catalogue knows one: every model has it. */
const DEFAULT_MAX_TOKENS = 4096;
/** More is given only where it is asked for: a catalogue may know no more than the context. */
const MAX_UNASKED_TOKENS = 64_000;
const VERSION = 'anthropic-version';
const BETA = 'anthropic-beta';

export function encodeRequest(connection: AnthropicConnection, call: ProviderCall): EncodedRequest {
  const { request } = call;
  const { body, dropped } = passesThrough(request) ? passOn(call) : translate(connection, call);
  return {
    method: 'POST',
    path: pathOf(connection, request),
    headers: headersOf(connection, ownHeaders(request), request.stream),
    body,
    dropped,
  };
}

function ownHeaders(request: InferenceRequest): Readonly<Record<string, string>> {
  return passesThrough(request) ? (request.foreign?.headers ?? {}) : {};
}

/** The list of models, as short as it can be had. */
export function encodeProbe(connection: AnthropicConnection): UpstreamRequest {
  const path = `${rootOf(connection)}/models?limit=1`;
  return { method: 'GET', path, headers: headersOf(connection, {}, false), body: null };
}

function pathOf(connection: AnthropicConnection, { operation }: InferenceRequest): string {
  const messages = `${rootOf(connection)}/messages`;
  return operation === 'count_tokens' ? `${messages}/count_tokens` : messages;
}

/** Below the base URL, which may name the version already. */
function rootOf({ baseUrl }: AnthropicConnection): string {
  return baseUrl.endsWith('/v1') ? '' : '/v1';
}

function headersOf(
  connection: AnthropicConnection,
  own: Readonly<Record<string, string>>,
  stream: boolean,
): Readonly<Record<string, string>> {
  const betas = [...connection.betas, ...(own[BETA] ?? '').split(',')]
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    accept: stream ? 'text/event-stream' : 'application/json',
    'user-agent': 'esclusa',
    ...connection.headers,
    'content-type': 'application/json',
    'accept-encoding': 'identity', // bytes are passed through as they are
    [VERSION]: own[VERSION] ?? connection.version,
    ...(betas.length === 0 ? {} : { [BETA]: [...new Set(betas)].join(',') }),
    ...(connection.apiKey === null ? {} : { 'x-api-key': connection.apiKey }),
  };
}

interface Body {
  readonly body: Buffer;
  readonly dropped: readonly string[];
}

function passOn({ request, target }: ProviderCall): Body {
  const maxTokens = request.operation === 'count_tokens' ? null : limitOf(target);
  return { body: rewriteRequest(request, { model: target.model, maxTokens }), dropped: [] };
}

function translate(connection: AnthropicConnection, { request, target }: ProviderCall): Body {
  if (request.operation === 'completion' || request.operation === 'embedding') {
    throw new GatewayError('model_unsupported_operation', {
      message: `The provider ${target.provider} does not offer ${request.operation}.`,
      field: 'model',
    });
  }
  const options = {
    model: target.model,
    maxTokens: limitOf(target),
    ...mannerOf(connection, target),
    refuse: notSupported,
  };
  const encode = request.operation === 'count_tokens' ? encodeCount : encodeBody;
  const { text, dropped } = encode(request.body, options);
  return { body: Buffer.from(text), dropped };
}

function limitOf(target: Target): number {
  return Math.min(target.maxOutputTokens ?? DEFAULT_MAX_TOKENS, MAX_UNASKED_TOKENS);
}

function notSupported(field: string, why: string): GatewayError {
  const message = `\`${field}\` cannot be sent to this provider. ${why}`;
  return new GatewayError('field_not_supported', { field, message });
}
