/**
 * What a stage is, and how stages become one handler: each takes the handler behind it and
 * returns a handler. Around every stage stands a fault point named `pipeline.<stage>`.
 *
 * Invariant: the order is that of the list; a name appears once.
 */
import { assert } from '../../kernel/assert.ts';
import { type FaultPoints, noFaults } from '../../kernel/fault.ts';
import type { Answer } from '../model/answer.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';

export type Handler = (exchange: Exchange) => Promise<Answer>;

export interface Stage {
  readonly name: string;
  /** The codes this stage itself may end an exchange with. */
  readonly codes: readonly ErrorCode[];
  wrap(next: Handler): Handler;
}

/** Folds the stages, first one outermost, into a handler. */
export function compose(stages: readonly Stage[], faults: FaultPoints): Handler {
  const names = new Set(stages.map((stage) => stage.name));
  assert(stages.length > 0 && names.size === stages.length, 'each stage stands once');
  let handler: Handler = () => {
    throw new Error('invariant broken: the last stage called a next one');
  };
  for (const stage of stages.toReversed()) {
    handler = withFaultPoint(stage.wrap(handler), `pipeline.${stage.name}`, faults);
  }
  return handler;
}

function withFaultPoint(handler: Handler, point: string, faults: FaultPoints): Handler {
  assert(typeof handler === 'function', `${point} wraps to a handler`);
  if (faults === noFaults) return handler;
  return async (exchange) => {
    await faults.hit(point);
    return handler(exchange);
  };
}
