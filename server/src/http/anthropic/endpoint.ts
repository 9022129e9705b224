/**
 * The endpoints of the Anthropic dialect. A request is kept as it came for targets that speak this
 * dialect, and decoded to the canonical form as soon as somebody asks for that; the version and
 * the features that its headers ask for are part of its sense and are kept with it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type CacheControl, GatewayError, type InferenceRequest } from '../../gateway/index.ts';
import { lazy } from '../../kernel/lazy.ts';
import { decodeRequest } from '../../wire/anthropic/decode-request.ts';
import { type RequestOperation, readRequest } from '../../wire/anthropic/read-request.ts';
import type { InferenceEndpoint } from '../endpoint.ts';
import type { ParsedBody } from '../parse-body.ts';
import { anthropicWriter } from './writer.ts';

/** What a version or a list of features may look like; anything else is refused. */
const SENSE_HEADERS: Readonly<Record<string, RegExp>> = {
  'anthropic-version': /^\d{4}-\d{2}-\d{2}$/,
  'anthropic-beta': /^[A-Za-z0-9._,\s-]{1,2048}$/,
};

export function anthropicEndpoint(path: string, operation: RequestOperation): InferenceEndpoint {
  return {
    path,
    operation,
    writer: anthropicWriter,
    decode: (parsed, cacheControl, { headers }) => decode(operation, parsed, cacheControl, headers),
  };
}

function decode(
  operation: RequestOperation,
  parsed: ParsedBody,
  cacheControl: CacheControl,
  headers: IncomingHttpHeaders,
): InferenceRequest {
  const result = readRequest(operation, parsed.body);
  if (result.kind === 'refused') throw new GatewayError('invalid_request', result.problem);
  const decoded = lazy(() => decodeRequest(parsed.body, parsed.bytes));
  return {
    operation,
    dialect: anthropicWriter.dialect,
    ...result.facts,
    get body() {
      return decoded().body;
    },
    bytes: parsed.bytes,
    members: parsed.members,
    cacheControl,
    foreign: {
      body: parsed.body,
      headers: senseOf(headers),
      get needed() {
        return decoded().needed;
      },
      get dropped() {
        return decoded().dropped;
      },
    },
  };
}

function senseOf(headers: IncomingHttpHeaders): Record<string, string> {
  const sense: Record<string, string> = {};
  for (const [name, form] of Object.entries(SENSE_HEADERS)) {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') continue;
    if (!form.test(value)) {
      const message = `The header ${name} has a value that is not accepted.`;
      throw new GatewayError('header_invalid', { message, field: name });
    }
    sense[name] = value;
  }
  return sense;
}
