/**
 * The guard stage: runs the checks that may change or refuse a request before it is routed,
 * and those that may change or refuse an answer, wherever that is from. It stands before the
 * cache: a key is taken of the request as the checks left it, and what is stored is checked
 * anew for whom it is given to.
 *
 * It says of each answer whether the checks let it through as it came (`asItCame`). Only such
 * answers are kept.
 */
import type { Answer } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Handler, Stage } from './stage.ts';
import { watchFrames } from './watch-frames.ts';

export interface Guardrail {
  readonly name: string;
  /** Throws `content_blocked`, or returns when the request may go on. */
  checkRequest(exchange: Exchange): Promise<void>;
  /**
   * Throws `content_blocked`, or returns the answer to give. What it has nothing against it
   * gives back as it is: the same answer, a stream's frames the same and in their order.
   */
  checkAnswer(exchange: Exchange, answer: Answer): Promise<Answer>;
}

export interface GuardStage extends Stage {
  /** The checks of answers alone, for a request that was checked before. */
  wrapAnswers(next: Handler): Handler;
}

export function guard(guardrails: readonly Guardrail[]): GuardStage {
  function wrapAnswers(next: Handler): Handler {
    if (guardrails.length === 0) return next;
    return async (exchange) => {
      const verdict = Promise.withResolvers<boolean>();
      const { signal } = exchange.abort;
      exchange.asItCame = verdict.promise;
      // Nobody is left to read a stream to its end, so that nobody will have checked all of it.
      signal.addEventListener('abort', () => verdict.resolve(false), { once: true });
      try {
        const came = await next(exchange);
        return await checked(guardrails, exchange, came, verdict.resolve);
      } catch (thrown) {
        verdict.resolve(false);
        throw thrown;
      }
    };
  }

  return {
    name: 'guard',
    codes: ['content_blocked'],
    wrapAnswers,
    wrap(next) {
      if (guardrails.length === 0) return next;
      const answered = wrapAnswers(next);
      return async (exchange) => {
        for (const guardrail of guardrails) await guardrail.checkRequest(exchange);
        return answered(exchange);
      };
    },
  };
}

async function checked(
  guardrails: readonly Guardrail[],
  exchange: Exchange,
  came: Answer,
  decide: (asItCame: boolean) => void,
): Promise<Answer> {
  const watch = came.kind === 'stream' ? watchFrames(came.frames, exchange) : null;
  let answer: Answer = came;
  if (came.kind === 'stream' && watch !== null) answer = { ...came, frames: watch.came };
  else if (came.kind === 'plain') exchange.spent = came.usage;
  const whole = answer;
  for (const guardrail of guardrails) answer = await guardrail.checkAnswer(exchange, answer);
  if (answer.kind === 'stream' && watch !== null) {
    return { ...answer, frames: watch.given(answer.frames, decide) };
  }
  decide(answer === whole);
  return answer;
}
