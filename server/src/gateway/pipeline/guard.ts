/**
 * The guard stage: runs the checks that may change or refuse a request before it is routed,
 * and those that may refuse an answer. It stands before the cache, so that a key is taken of
 * the request as the checks left it.
 */

import type { Answer } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Stage } from './stage.ts';

export interface Guardrail {
  readonly name: string;
  /** Throws `content_blocked`, or returns when the request may go on. */
  checkRequest(exchange: Exchange): Promise<void>;
  /** Throws `content_blocked`, or returns the answer to give. */
  checkAnswer(exchange: Exchange, answer: Answer): Promise<Answer>;
}

export function guard(guardrails: readonly Guardrail[]): Stage {
  return {
    name: 'guard',
    codes: ['content_blocked'],
    wrap(next) {
      if (guardrails.length === 0) return next;
      return async (exchange) => {
        for (const guardrail of guardrails) await guardrail.checkRequest(exchange);
        let answer = await next(exchange);
        for (const guardrail of guardrails) answer = await guardrail.checkAnswer(exchange, answer);
        return answer;
      };
    },
  };
}
