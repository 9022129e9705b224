/**
 * The request as the provider gets it: its path, the gateway's own headers, and the client's
 * bytes with as little changed as possible. No header of the client travels on.
 *
 * A request that came in another dialect has no bytes of this wire; its canonical body, which
 * is OpenAI's shape, is encoded instead, and what the wire cannot say is named or refused.
 */

import { GatewayError } from '../../gateway/model/errors.ts';
import type { EncodedRequest, ProviderCall } from '../../gateway/ports/provider.ts';
import type { UpstreamRequest } from '../../gateway/ports/upstream.ts';
import { assert } from '../../kernel/assert.ts';
import { encodeCanonical } from '../../wire/openai/encode-canonical.ts';
import { rewriteRequest } from '../../wire/openai/rewrite-request.ts';
import { passesThrough } from './responses.ts';
import type { OpenaiConnection, OpenaiSurface } from './settings.ts';

type Headers = Readonly<Record<string, string>>;

export interface RequestHeaders {
  readonly plain: Headers;
  readonly stream: Headers;
}

const OPERATIONS = {
  chat: 'chat/completions',
  completion: 'completions',
  embedding: 'embeddings',
} as const;

/** The headers of every request to one provider; made once. */
export function requestHeaders(connection: OpenaiConnection): RequestHeaders {
  const common: Record<string, string> = {
    'user-agent': 'esclusa',
    ...connection.headers,
    'content-type': 'application/json',
    'accept-encoding': 'identity', // bytes are passed through as they are
  };
  if (connection.apiKey !== null) {
    const prefix = connection.keyHeader === 'authorization' ? 'Bearer ' : '';
    common[connection.keyHeader] = `${prefix}${connection.apiKey}`;
  }
  if (connection.organization !== null) common['openai-organization'] = connection.organization;
  if (connection.project !== null) common['openai-project'] = connection.project;
  return {
    plain: { accept: 'application/json', ...common },
    stream: { accept: 'text/event-stream', ...common },
  };
}

export function encodeRequest(
  connection: OpenaiConnection,
  headers: RequestHeaders,
  call: ProviderCall,
): EncodedRequest {
  const { request, target } = call;
  const { operation } = request;
  assert(operation !== 'count_tokens', 'tokens are estimated where they are not counted');
  const passes = passesThrough(connection, request);
  const { body, dropped } =
    passes || request.dialect === 'openai'
      ? { body: rewriteRequest(request, changesFor(connection, call)), dropped: [] }
      : encodeForeign(connection, call);
  const name = passes ? 'responses' : OPERATIONS[operation];
  return {
    method: 'POST',
    path: pathOf(connection.surface, name, target.model),
    headers: request.stream ? headers.stream : headers.plain,
    body,
    dropped,
  };
}

/** The list of models, which no deployment has of its own. */
export function encodeProbe(
  { surface }: OpenaiConnection,
  { plain }: RequestHeaders,
): UpstreamRequest {
  const path =
    surface.kind === 'deployments'
      ? `/openai/models${versionQuery(surface.apiVersion)}`
      : pathOf(surface, 'models', '');
  return { method: 'GET', path, headers: plain, body: null };
}

function changesFor({ capabilities }: OpenaiConnection, { request, target }: ProviderCall) {
  const { model } = target;
  if (request.dialect !== 'openai') return { model, askForUsage: false, olderTokenLimit: false };
  return {
    model,
    askForUsage: request.stream && !request.includeUsage && capabilities.streamUsage,
    olderTokenLimit: request.operation === 'chat' && !capabilities.maxCompletionTokens,
  };
}

function encodeForeign({ capabilities }: OpenaiConnection, { request, target }: ProviderCall) {
  const { body, dropped } = encodeCanonical(request.body, {
    model: target.model,
    stream: request.stream,
    askForUsage: capabilities.streamUsage,
    newerTokenLimit: capabilities.maxCompletionTokens,
    reasoningEffort: target.capabilities?.includes('reasoning') === true,
    reasoningInput: capabilities.reasoningInput,
    refuse: notSupported,
  });
  return { body: Buffer.from(JSON.stringify(body)), dropped };
}

function notSupported(field: string): GatewayError {
  const what = `\`${field}\` cannot be sent to this provider`;
  const message = `${what}; leave it out, or choose another model.`;
  return new GatewayError('field_not_supported', { field, message });
}

function pathOf(surface: OpenaiSurface, operation: string, model: string): string {
  switch (surface.kind) {
    case 'plain':
      return `/${operation}`;
    case 'v1':
      return `/openai/v1/${operation}${versionQuery(surface.apiVersion)}`;
    case 'deployments': {
      const deployment = encodeURIComponent(model);
      const query = versionQuery(surface.apiVersion);
      return `/openai/deployments/${deployment}/${operation}${query}`;
    }
  }
}

function versionQuery(apiVersion: string | null): string {
  return apiVersion === null ? '' : `?api-version=${encodeURIComponent(apiVersion)}`;
}
