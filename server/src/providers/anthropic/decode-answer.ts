/**
 * Reads a complete answer: for a client of this dialect its bytes stay as they are, for any
 * other they become a canonical body. A 2xx status alone proves nothing; what is no answer is
 * refused here.
 */
import type { PlainAnswer } from '../../gateway/model/answer.ts';
import { NO_USAGE } from '../../gateway/model/usage.ts';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import { isJsonArray, type JsonObject, parseJson } from '../../kernel/json.ts';
import { decodeAnswer as decodeBody } from '../../wire/anthropic/decode-answer.ts';
import { readError } from '../../wire/anthropic/read-error.ts';
import { readStopReason } from '../../wire/anthropic/stop-reason.ts';
import { toolInputs } from '../../wire/anthropic/tool-inputs.ts';
import { readUsage, toProviderUsage } from '../../wire/anthropic/usage.ts';
import { answerText, requireObject } from '../answer-body.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { decodeNamedError } from './decode-error.ts';
import type { AnthropicConnection } from './settings.ts';
import { factsOf, passesThrough, WIRE } from './wire.ts';

export function decodeAnswer(
  connection: AnthropicConnection,
  call: ProviderCall,
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): PlainAnswer {
  const body = readBody(head, bytes, secrets);
  const answer = { kind: 'plain', dialect: WIRE, contentType: 'application/json', bytes } as const;
  if (call.request.operation === 'count_tokens') return { ...answer, ...readCount(call, body) };
  const { content, stop_reason: reason } = body;
  if (!isJsonArray(content)) throw invalid('The provider’s answer has no list `content`.');
  if (typeof reason !== 'string') throw invalid('The provider’s answer has no `stop_reason`.');
  const counts = readUsage(body.usage);
  return {
    ...answer,
    body: passesThrough(call.request)
      ? null
      : decodeBody(body, toolInputs(bytes), factsOf(connection, call, head)),
    usage: counts === null ? null : toProviderUsage(counts),
    finishReasons: [readStopReason(reason).core],
  };
}

function readCount(call: ProviderCall, body: JsonObject) {
  const { input_tokens: tokens } = body;
  if (typeof tokens !== 'number' || !Number.isSafeInteger(tokens) || tokens < 0) {
    throw invalid('The provider’s answer has no count `input_tokens`.');
  }
  const counted = { object: 'token_count', input_tokens: tokens };
  return {
    body: passesThrough(call.request) ? null : counted,
    usage: NO_USAGE,
    finishReasons: [],
  };
}

function readBody(head: ResponseHead, bytes: Buffer, secrets: readonly string[]): JsonObject {
  requireHead(head, /^application\/(?:[\w.+-]+\+)?json\b/i, 'JSON');
  const body = requireObject(parseJson(answerText(bytes)));
  const error = readError(body);
  if (error !== null) throw decodeNamedError(error, secrets);
  return body;
}
