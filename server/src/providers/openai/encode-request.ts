/**
 * The request as the provider gets it: its path, the gateway's own headers, and the client's
 * bytes with as little changed as possible. No header of the client travels on.
 *
 * A request that came in another dialect has no bytes of this wire; its canonical body, which
 * is OpenAI's shape, is serialised instead.
 */

import type { ProviderCall } from '../../gateway/ports/provider.ts';
import type { UpstreamRequest } from '../../gateway/ports/upstream.ts';
import { assert } from '../../kernel/assert.ts';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { isJsonObject } from '../../kernel/json.ts';
import { type RequestChanges, rewriteRequest } from '../../wire/openai/rewrite-request.ts';
import type { OpenaiConnection } from './settings.ts';

type Headers = Readonly<Record<string, string>>;

export interface RequestHeaders {
  readonly plain: Headers;
  readonly stream: Headers;
}

const PATHS = {
  chat: '/chat/completions',
  completion: '/completions',
  embedding: '/embeddings',
} as const;

/** The headers of every request to one provider; made once. */
export function requestHeaders(connection: OpenaiConnection): RequestHeaders {
  const common: Record<string, string> = {
    'user-agent': 'esclusa',
    ...connection.headers,
    'content-type': 'application/json',
    'accept-encoding': 'identity', // bytes are passed through as they are
  };
  if (connection.apiKey !== null) common.authorization = `Bearer ${connection.apiKey}`;
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
): UpstreamRequest {
  const { request, target } = call;
  assert(request.operation !== 'count_tokens', 'tokens are estimated where they are not counted');
  const { capabilities } = connection;
  const changes: RequestChanges = {
    model: target.model,
    askForUsage: request.stream && !request.includeUsage && capabilities.streamUsage,
    olderTokenLimit: request.operation === 'chat' && !capabilities.maxCompletionTokens,
  };
  const body =
    request.dialect === 'openai'
      ? rewriteRequest(request, changes)
      : Buffer.from(JSON.stringify(changedBody(request.body, changes)));
  return {
    method: 'POST',
    path: PATHS[request.operation],
    headers: request.stream ? headers.stream : headers.plain,
    body,
  };
}

function changedBody(body: JsonObject, changes: RequestChanges): JsonObject {
  const changed: Record<string, JsonValue | undefined> = { ...body, model: changes.model };
  if (changes.askForUsage) {
    const given = isJsonObject(body.stream_options) ? body.stream_options : {};
    changed.stream_options = { ...given, include_usage: true };
  }
  if (changes.olderTokenLimit && body.max_completion_tokens !== undefined) {
    changed.max_tokens ??= body.max_completion_tokens;
    delete changed.max_completion_tokens;
  }
  return changed;
}
