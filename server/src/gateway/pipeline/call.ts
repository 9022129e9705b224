/**
 * The call stage: the route's targets in order, each under the policy stack, until one gives
 * its first piece of an answer. That first piece commits the target; nothing is retried or
 * failed over behind it.
 *
 * It owns the exchange's total deadline. It knows nothing of wires: adapters translate, and
 * upstreams carry bytes.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import { deadlineIn } from '../../kernel/deadline.ts';
import type { Answer, StreamFrame } from '../model/answer.ts';
import { asGatewayError, type GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { AnswerCodecs } from '../ports/codec.ts';
import type { Providers } from '../ports/provider.ts';
import type { KeyRotation } from '../resilience/key-rotation.ts';
import { type HeldCall, mayFailOver, type PolicyStack } from '../resilience/policy-stack.ts';
import type { LatencyRecorder } from '../routing/latency-book.ts';
import type { RoutePlan } from '../routing/order.ts';
import { allFailed, type TargetFailure } from './all-failed.ts';
import { type AttemptContext, attempt } from './attempt.ts';
import { type CountPlan, estimatedCount, planCount } from './count-tokens.ts';
import { createPlanner, nothingAvailable, type PlanDeps } from './plan-call.ts';
import type { Stage } from './stage.ts';
import { startTotalDeadline } from './total-deadline.ts';

export interface CallDeps extends PlanDeps {
  readonly codecs: AnswerCodecs;
  readonly providers: () => Providers;
  readonly policies: PolicyStack;
  readonly keyRotation: KeyRotation;
  readonly latency: PlanDeps['latency'] & LatencyRecorder;
  /** Whether providers are told of traces, by the configuration in force. */
  readonly passesTrace: () => boolean;
  readonly clock: Clock;
}

export function call(deps: CallDeps): Stage {
  const planCall = createPlanner(deps);
  return {
    name: 'call',
    codes: ['no_target_available', 'overloaded', 'deadline_exceeded', 'client_closed'],
    wrap: () => async (exchange) => {
      const whole = planCall(exchange);
      const count = countPlanOf(deps, exchange, whole);
      if (count?.kind === 'estimate') return estimatedCount(deps.codecs, exchange, count.target);
      const plan = count === null ? whole : { ...whole, targets: count.targets };
      const timer = startTotalDeadline(deps.clock, exchange, plan.targets, exchange.work);
      let held: HeldCall<Answer>;
      try {
        held = await callTargets(deps, exchange, plan);
      } catch (thrown) {
        timer.cancel();
        throw thrown;
      }
      const answer = held.value;
      if (answer.kind === 'stream') {
        return { ...answer, frames: guarded(held, answer.frames, timer) };
      }
      timer.cancel();
      held.finish(null);
      return answer;
    },
  };
}

function countPlanOf(deps: CallDeps, exchange: Exchange, plan: RoutePlan): CountPlan | null {
  return exchange.request.operation === 'count_tokens' ? planCount(plan, deps.providers()) : null;
}

async function callTargets(
  deps: CallDeps,
  exchange: Exchange,
  plan: RoutePlan,
): Promise<HeldCall<Answer>> {
  const failures: TargetFailure[] = [];
  const streamed = exchange.request.stream;
  const context: AttemptContext = {
    exchange,
    providers: deps.providers(),
    codecs: deps.codecs,
    keyRotation: deps.keyRotation,
    clock: deps.clock,
    latency: deps.latency,
    passesTrace: deps.passesTrace(),
  };
  for (const target of plan.targets) {
    const elapsedMs = deps.clock.monotonicMs() - exchange.startedMs;
    const deadline = deadlineIn(deps.clock, target.timeouts.totalMs - elapsedMs);
    const guarded = { target, deadline, signal: exchange.work.signal, streamed };
    try {
      return await deps.policies.run(guarded, context, attempt);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (exchange.work.signal.aborted || !mayFailOver(error)) throw error;
      failures.push({ target, error });
    }
  }
  const [first, ...others] = failures;
  if (first === undefined) throw nothingAvailable(plan);
  throw allFailed([first, ...others], plan.rejected, (target) =>
    deps.policies.availability(target),
  );
}

/** Ends the held call when the stream ends, with what ended it. */
async function* guarded(
  held: HeldCall<Answer>,
  frames: AsyncIterable<StreamFrame>,
  timer: Timer,
): AsyncGenerator<StreamFrame> {
  let error: GatewayError | null = null;
  try {
    yield* frames;
  } catch (thrown) {
    error = asGatewayError(thrown);
    throw error;
  } finally {
    timer.cancel();
    held.finish(error);
  }
}
