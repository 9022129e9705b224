/**
 * Reads a complete answer into canonical form. A 2xx status alone proves nothing; what is no
 * answer, or is not done, is refused here.
 */
import type { PlainAnswer } from '../../gateway/model/answer.ts';
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import { type JsonObject, parseJson } from '../../kernel/json.ts';
import { decodeChat, decodeCompletion, decodeEmbedding } from '../../wire/ollama/decode-answer.ts';
import type { DecodedAnswer } from '../../wire/ollama/types.ts';
import { answerText, requireObject } from '../answer-body.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { decodeErrorText } from './decode-error.ts';

export function decodeAnswer(
  { request }: ProviderCall,
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): PlainAnswer {
  requireHead(head, /^application\/json\b/i, 'JSON');
  const text = answerText(bytes);
  const body = requireObject(parseJson(text));
  if (typeof body.error === 'string') throw decodeErrorText(body.error, secrets);
  const decoded = decode(request, body, text);
  if (decoded === null) throw invalid('The provider’s answer is not a complete answer.');
  return {
    kind: 'plain',
    dialect: 'native',
    contentType: 'application/json',
    bytes,
    ...decoded,
  };
}

function decode(request: InferenceRequest, body: JsonObject, text: string): DecodedAnswer | null {
  if (request.operation === 'embedding') {
    return decodeEmbedding(body, request.body.encoding_format === 'base64');
  }
  return request.operation === 'completion' ? decodeCompletion(body, text) : decodeChat(body, text);
}
