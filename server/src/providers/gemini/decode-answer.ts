/**
 * Reads a complete answer. For a client of the same dialect its bytes stay as they are; for all
 * others it is put into canonical form. A 2xx status alone proves nothing: what is no answer is
 * refused here.
 */
import type { PlainAnswer } from '../../gateway/model/answer.ts';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import { type JsonObject, parseJson } from '../../kernel/json.ts';
import {
  blockReason,
  decodeAnswer as decodeChat,
  finishReasonsOf,
} from '../../wire/gemini/decode/answer.ts';
import { decodeVectors, readVectors } from '../../wire/gemini/embedding.ts';
import { objectsOf } from '../../wire/gemini/fields.ts';
import { readError } from '../../wire/gemini/read-error.ts';
import { decodeUsage } from '../../wire/gemini/usage.ts';
import { answerText, requireObject } from '../answer-body.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { answerContext } from './answer-context.ts';
import { decodeNamedError } from './decode-error.ts';
import { GEMINI_KIND } from './settings.ts';

type Read = Pick<PlainAnswer, 'body' | 'finishReasons'>;

interface Received {
  readonly call: ProviderCall;
  readonly head: ResponseHead;
  readonly bytes: Buffer;
  readonly text: string;
  readonly body: JsonObject;
  readonly passes: boolean;
}

export function decodeAnswer(
  call: ProviderCall,
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): PlainAnswer {
  requireHead(head, /^application\/json\b/i, 'JSON');
  const text = answerText(bytes);
  const parsed = parseJson(text);
  const error = readError(parsed);
  if (error !== null) throw decodeNamedError(error, secrets);
  const body = requireObject(parsed);
  const passes = call.request.dialect === GEMINI_KIND;
  return {
    kind: 'plain',
    dialect: GEMINI_KIND,
    contentType: 'application/json; charset=utf-8',
    bytes,
    usage: decodeUsage(body.usageMetadata),
    ...read({ call, head, bytes, text, body, passes }),
  };
}

function read(received: Received): Read {
  switch (received.call.request.operation) {
    case 'count_tokens':
      return readCount(received);
    case 'embedding':
      return readEmbedding(received);
    default:
      return readChat(received);
  }
}

function readChat({ call, head, bytes, text, body, passes }: Received): Read {
  if (objectsOf(body.candidates).length === 0 && blockReason(body) === undefined) {
    throw invalid('The provider’s answer has no candidate.');
  }
  if (passes) return { body: null, finishReasons: finishReasonsOf(body) };
  return decodeChat(body, () => text, answerContext(call, head, bytes));
}

function readCount({ body, passes }: Received): Read {
  const { totalTokens = 0 } = body;
  if (typeof totalTokens !== 'number') throw invalid('The provider’s answer has no `totalTokens`.');
  const counted = { object: 'token_count', input_tokens: totalTokens };
  return { body: passes ? null : counted, finishReasons: [] };
}

function readEmbedding({ call, body, passes }: Received): Read {
  const vectors = readVectors(body);
  if (vectors === null) throw invalid('The provider’s answer has no embeddings.');
  if (passes) return { body: null, finishReasons: [] };
  const { request, target } = call;
  const isBase64 = request.body.encoding_format === 'base64';
  const usage = decodeUsage(body.usageMetadata);
  const decoded = decodeVectors(vectors, { model: target.model, isBase64, usage });
  return { body: decoded, finishReasons: [] };
}
