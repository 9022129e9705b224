/**
 * The Responses API of providers that have it: requests of its own clients pass through, bytes
 * both ways, as long as nothing is to be kept or gone on from. Kept responses are the gateway's
 * own, so that every provider has them; such requests are sent as chats.
 */
import { isUtf8 } from 'node:buffer';
import type { PlainAnswer } from '../../gateway/model/answer.ts';
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { ResponseHead, StreamDecoder } from '../../gateway/ports/provider.ts';
import { parseJson } from '../../kernel/json.ts';
import { readResponse } from '../../wire/responses/decode-answer.ts';
import { createStreamDecoder } from '../../wire/responses/stream-decoder.ts';
import { requireObject } from '../answer-body.ts';
import { invalid, requireEvents, requireHead } from '../answer-head.ts';
import { asStreamDecoder, failWith, MAX_STREAM_BYTES } from '../answer-stream.ts';
import { decodeNamedError } from './decode-error.ts';
import type { OpenaiConnection } from './settings.ts';

/** The last event repeats the whole response. */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;

export const RESPONSES_WIRE = 'responses';

/** True where the request goes to the provider as it came. */
export function passesThrough(
  { capabilities }: OpenaiConnection,
  { dialect, foreign }: InferenceRequest,
): boolean {
  if (dialect !== RESPONSES_WIRE || !capabilities.responses) return false;
  const thread = foreign?.isExtended === true ? undefined : foreign?.thread;
  return thread !== undefined && !thread.keep && thread.previousId === null;
}

export function decodeResponse(
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): PlainAnswer {
  requireHead(head, /^application\/(?:[\w.+-]+\+)?json\b/i, 'JSON');
  const body = requireObject(isUtf8(bytes) ? parseJson(bytes.toString('utf8')) : undefined);
  const read = readResponse(body);
  if (read.kind === 'failed') throw decodeNamedError(read.error, secrets);
  if (read.kind === 'invalid') throw invalid(read.message);
  return {
    kind: 'plain',
    dialect: RESPONSES_WIRE,
    contentType: 'application/json',
    bytes,
    body: null,
    ...read.facts,
  };
}

export function openResponseStream(head: ResponseHead, secrets: readonly string[]): StreamDecoder {
  requireEvents(head);
  const decoder = createStreamDecoder({
    maxEventBytes: MAX_EVENT_BYTES,
    maxStreamBytes: MAX_STREAM_BYTES,
    fail: failWith(decodeNamedError, secrets),
  });
  return asStreamDecoder(decoder);
}
