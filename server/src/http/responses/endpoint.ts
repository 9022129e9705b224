/**
 * The endpoints of the Responses dialect: a conversation continued, sent whole or by the id of an
 * earlier answer, and its tokens counted. A request is decoded to the canonical form for targets
 * of other dialects, and kept as it came for those that speak this one.
 */
import { type CacheControl, GatewayError, type InferenceRequest } from '../../gateway/index.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { lazy } from '../../kernel/lazy.ts';
import { decodeRequest } from '../../wire/responses/decode-request.ts';
import { readRequest } from '../../wire/responses/read-request.ts';
import type { InferenceEndpoint, RequestBirth } from '../endpoint.ts';
import type { ParsedBody } from '../parse-body.ts';
import { responsesWriter } from './writer.ts';

export const responses: InferenceEndpoint = {
  path: '/v1/responses',
  operation: 'chat',
  writer: responsesWriter,
  decode: (parsed, cacheControl, _headers, birth) => decode(parsed, cacheControl, birth),
};

export const inputTokens: InferenceEndpoint = {
  path: '/v1/responses/input_tokens',
  operation: 'count_tokens',
  writer: responsesWriter,
  decode: (parsed, cacheControl, _headers, birth) =>
    asCount(decode(parsed, cacheControl, birth), parsed.body),
};

function decode(
  parsed: ParsedBody,
  cacheControl: CacheControl,
  { id, createdAtMs }: RequestBirth,
): InferenceRequest {
  const result = readRequest(parsed.body);
  if (result.kind === 'refused') throw new GatewayError('invalid_request', result.problem);
  const decoded = lazy(() => decodeRequest(parsed.body));
  const answerId = id.replace(/^[a-z]+_/, 'resp_');
  return {
    operation: 'chat',
    dialect: responsesWriter.dialect,
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
      thread: { answerId, createdAtMs, ...result.thread },
    },
  };
}

/** Nothing is made and so nothing kept; an estimate would pass over what the vendor alone has. */
function asCount(
  request: InferenceRequest,
  { conversation, prompt }: JsonObject,
): InferenceRequest {
  const field = conversation != null ? 'conversation' : prompt != null ? 'prompt' : null;
  if (field !== null) {
    const message = `\`${field}\` is kept by the vendor, and cannot be counted here; leave it out.`;
    throw new GatewayError('field_not_supported', { field, message });
  }
  const { foreign } = request;
  const thread = foreign?.thread;
  return {
    ...{ ...request, operation: 'count_tokens', stream: false },
    ...(foreign === undefined || thread === undefined
      ? {}
      : { foreign: { ...foreign, thread: { ...thread, keep: false } } }),
  };
}
