/**
 * What several steps of one call ask: whether its bytes pass through, and what the answer's
 * head tells that its body does not.
 */
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { ResponseHead } from '../../gateway/ports/provider.ts';
import { answerTool } from '../../wire/anthropic/encode-tools.ts';
import type { AnthropicConnection } from './settings.ts';

export const WIRE = 'anthropic';

export function passesThrough(request: InferenceRequest): boolean {
  return request.dialect === WIRE;
}

/** What decoders need to know to translate an answer. */
export function factsOf(
  { structuredOutput }: AnthropicConnection,
  request: InferenceRequest,
  head: ResponseHead,
) {
  const answeredMs = Date.parse(head.headers.date ?? '');
  return {
    createdSeconds: Number.isNaN(answeredMs) ? 0 : Math.floor(answeredMs / 1000),
    answerTool: answerTool(request.body, structuredOutput),
  };
}
