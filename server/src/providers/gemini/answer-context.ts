/**
 * What decoding an answer needs beside the answer: what was asked for, and stand-ins for what
 * the wire may leave out. The answer's own `date` header is the clock.
 */
import { createHash } from 'node:crypto';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import type { AnswerContext } from '../../wire/gemini/decode/answer.ts';

const ID_CHARACTERS = 22;

/** `seed` tells one answer from another; the same always gives the same id. */
export function answerContext(
  { request, target }: ProviderCall,
  head: ResponseHead,
  seed: Buffer,
): AnswerContext {
  const date = Date.parse(head.headers.date ?? '');
  const digest = createHash('sha256').update(seed).digest('base64url');
  return {
    model: target.model,
    id: digest.slice(0, ID_CHARACTERS),
    oneCall: request.body.parallel_tool_calls === false,
    createdSeconds: Number.isNaN(date) ? 0 : Math.floor(date / 1000),
  };
}
