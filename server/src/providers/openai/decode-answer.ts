/**
 * Reads a complete answer: its bytes stay as they are, beside their parsed form, the usage and
 * the finish reasons. A 2xx status alone proves nothing; what is no answer is refused here, so
 * that an empty body, a proxy's page or an error in disguise never counts as success.
 */
import type { PlainAnswer } from '../../gateway/model/answer.ts';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import { isJsonArray, parseJson } from '../../kernel/json.ts';
import { canonicalAnswer } from '../../wire/openai/canonical-answer.ts';
import { decodeUsage } from '../../wire/openai/decode-usage.ts';
import { finishReasons } from '../../wire/openai/finish-reason.ts';
import { readErrorMember } from '../../wire/openai/read-error.ts';
import { answerText, requireObject } from '../answer-body.ts';
import { invalid, requireHead } from '../answer-head.ts';
import { decodeNamedError } from './decode-error.ts';

export function decodeAnswer(
  call: ProviderCall,
  head: ResponseHead,
  bytes: Buffer,
  secrets: readonly string[],
): PlainAnswer {
  requireHead(head, /^application\/(?:[\w.+-]+\+)?json\b/i, 'JSON');
  const body = requireObject(parseJson(answerText(bytes)));
  const error = readErrorMember(body);
  if (error !== null) throw decodeNamedError(error, secrets);
  const list = call.request.operation === 'embedding' ? 'data' : 'choices';
  if (!isJsonArray(body[list])) throw invalid(`The provider’s answer has no list \`${list}\`.`);
  return {
    kind: 'plain',
    dialect: 'openai',
    contentType: 'application/json',
    bytes,
    body: call.request.dialect === 'openai' ? body : canonicalAnswer(body),
    usage: decodeUsage(body.usage),
    finishReasons: finishReasons(body.choices),
  };
}
