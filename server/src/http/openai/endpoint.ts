/**
 * The endpoints of the OpenAI dialect, which differ in path and operation only: reading a
 * request and writing errors are the same for all of them.
 */
import { type CacheControl, GatewayError, type InferenceRequest } from '../../gateway/index.ts';
import { type RequestOperation, readRequest } from '../../wire/openai/read-request.ts';
import type { InferenceEndpoint } from '../endpoint.ts';
import type { ParsedBody } from '../parse-body.ts';
import { openaiWriter } from './writer.ts';

export function openaiEndpoint(path: string, operation: RequestOperation): InferenceEndpoint {
  return {
    path,
    operation,
    writer: openaiWriter,
    decode: (parsed, cacheControl) => decodeOpenai(operation, parsed, cacheControl),
  };
}

/** OpenAI's shape is the canonical one: the facts are read, and the body is taken as it is. */
export function decodeOpenai(
  operation: RequestOperation,
  parsed: ParsedBody,
  cacheControl: CacheControl,
): InferenceRequest {
  const result = readRequest(operation, parsed.body);
  if (result.kind === 'refused') throw new GatewayError('invalid_request', result.problem);
  return {
    operation,
    dialect: openaiWriter.dialect,
    ...result.facts,
    body: parsed.body,
    bytes: parsed.bytes,
    members: parsed.members,
    cacheControl,
  };
}
