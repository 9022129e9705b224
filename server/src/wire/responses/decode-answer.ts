/**
 * A response of a provider that speaks this dialect, as far as the gateway must understand it:
 * its usage, why it ended, and whether it is an answer at all. Its bytes stay as they are.
 */
import { isJsonArray, type JsonObject } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage } from '../decoded.ts';
import { readErrorMember } from '../openai/read-error.ts';
import type { ErrorBody } from '../openai/types.ts';
import { listOf, objectOf } from '../values.ts';
import { readUsage } from './usage.ts';

export interface ResponseFacts {
  readonly usage: ProviderUsage | null;
  readonly finishReasons: readonly FinishReason[];
}

export type ReadResponse =
  | { readonly kind: 'read'; readonly facts: ResponseFacts }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'invalid'; readonly message: string };

export function readResponse(response: JsonObject): ReadResponse {
  const error = readErrorMember(response);
  if (error !== null || response.status === 'failed') {
    return {
      kind: 'failed',
      error: error ?? { message: null, type: null, param: null, code: null },
    };
  }
  if (!isJsonArray(response.output)) {
    return { kind: 'invalid', message: 'The provider’s answer has no list `output`.' };
  }
  const facts = { usage: readUsage(response.usage), finishReasons: [finishOf(response)] };
  return { kind: 'read', facts };
}

function finishOf({ status, incomplete_details, output }: JsonObject): FinishReason {
  if (status === 'incomplete') {
    const { reason } = objectOf(incomplete_details);
    if (reason === 'max_output_tokens') return 'length';
    return reason === 'content_filter' ? 'content_filter' : 'other';
  }
  if (status !== 'completed') return 'other';
  const calls = listOf(output).some((item) => objectOf(item).type === 'function_call');
  return calls ? 'tool_calls' : 'stop';
}
