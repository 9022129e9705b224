/**
 * The observe stage: outermost, so that every exchange is seen to start once and to end once,
 * whatever the end: an answer, an error, a stream that broke, a client that left.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Answer, StreamFrame } from '../model/answer.ts';
import { asGatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { ExchangeObserver } from '../ports/observer.ts';
import type { Stage } from './stage.ts';

const OK = 200;
const CLIENT_CLOSED = 499;

export function observe(observer: ExchangeObserver, clock: Clock): Stage {
  function end(exchange: Exchange, status: number, error: unknown): void {
    const durationMs = clock.monotonicMs() - exchange.startedMs;
    observer.ended(exchange, { status, durationMs, error });
  }

  async function* watched(exchange: Exchange, frames: AsyncIterable<StreamFrame>) {
    let status = CLIENT_CLOSED;
    let error: unknown = null;
    try {
      for await (const frame of frames) {
        if (frame.terminal !== null) status = OK;
        yield frame;
      }
    } catch (thrown) {
      error = thrown;
      status = asGatewayError(thrown).status;
      throw thrown;
    } finally {
      end(exchange, status, error);
    }
  }

  return {
    name: 'observe',
    codes: ['internal_error'],
    wrap: (next) => async (exchange) => {
      observer.started(exchange);
      let answer: Answer;
      try {
        answer = await next(exchange);
      } catch (thrown) {
        end(exchange, asGatewayError(thrown).status, thrown);
        throw thrown;
      }
      if (answer.kind === 'stream') return { ...answer, frames: watched(exchange, answer.frames) };
      end(exchange, OK, null);
      return answer;
    },
  };
}
