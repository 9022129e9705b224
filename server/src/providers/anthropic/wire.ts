/**
 * What several steps of one call ask: whether its bytes pass through, and what the answer's
 * head tells that its body does not.
 */
import type { InferenceRequest } from '../../gateway/model/request.ts';
import type { Target } from '../../gateway/model/target.ts';
import type { ProviderCall, ResponseHead } from '../../gateway/ports/provider.ts';
import { answerTool } from '../../wire/anthropic/encode-tools.ts';
import type { AnthropicConnection, ReasoningControl, StructuredOutput } from './settings.ts';

export const WIRE = 'anthropic';

export function passesThrough(request: InferenceRequest): boolean {
  return request.dialect === WIRE;
}

interface Manner {
  readonly structuredOutput: StructuredOutput;
  readonly reasoning: ReasoningControl;
}

/** How the model takes what not all take alike: as configured, as known, as the newest do. */
export function mannerOf(connection: AnthropicConnection, { manner }: Target): Manner {
  return {
    structuredOutput: connection.structuredOutput ?? manner?.structuredOutput ?? 'native',
    reasoning: connection.reasoning ?? manner?.reasoning ?? 'effort',
  };
}

/** What decoders need to know to translate an answer. */
export function factsOf(
  connection: AnthropicConnection,
  { request, target }: ProviderCall,
  head: ResponseHead,
) {
  const answeredMs = Date.parse(head.headers.date ?? '');
  return {
    createdSeconds: Number.isNaN(answeredMs) ? 0 : Math.floor(answeredMs / 1000),
    answerTool: answerTool(request.body, mannerOf(connection, target).structuredOutput),
  };
}
