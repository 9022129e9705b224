/**
 * The table of contents of a request: the stages in their order, outermost first. This is the
 * only place that knows the order; `docs/request-lifecycle.md` draws it, and a test compares.
 */

import type { Clock } from '../../kernel/clock.ts';
import type { FaultPoints } from '../../kernel/fault.ts';
import type { Authenticator } from '../ports/authenticator.ts';
import type { BudgetStore } from '../ports/budget-store.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { ExchangeObserver } from '../ports/observer.ts';
import type { Threads } from '../ports/threads.ts';
import { type AdmitDeps, admit } from './admit.ts';
import { authenticate } from './authenticate.ts';
import { type CacheDeps, cache } from './cache.ts';
import { type CallDeps, call } from './call.ts';
import { type Guardrail, guard } from './guard.ts';
import { observe } from './observe.ts';
import { remember } from './remember.ts';
import { type ReplayDeps, replay } from './replay.ts';
import { reserve } from './reserve.ts';
import { type RouteDeps, route } from './route.ts';
import { settle } from './settle.ts';
import { compose, type Handler, type Stage } from './stage.ts';

export interface PipelineDeps extends AdmitDeps, CacheDeps, CallDeps, RouteDeps {
  readonly clock: Clock;
  readonly faults: FaultPoints;
  readonly observer: ExchangeObserver;
  readonly authenticator: Authenticator;
  readonly ledger: Ledger;
  readonly budgets: BudgetStore;
  readonly replays: ReplayDeps;
  readonly threads: Threads;
  readonly guardrails: readonly Guardrail[];
}

export function stages(deps: PipelineDeps): readonly Stage[] {
  const observed = observe(deps.observer, deps.clock);
  const settled = settle(deps);
  const guarded = guard(deps.guardrails);
  return [
    observed,
    authenticate(deps.authenticator),
    settled,
    replay(deps.replays),
    admit(deps),
    remember(deps.threads),
    guarded,
    route(deps),
    cache(deps, (handler) => observed.wrap(settled.wrap(guarded.wrapAnswers(handler)))),
    reserve(deps.budgets, deps.terms),
    call(deps),
  ];
}

export function createPipeline(deps: PipelineDeps): Handler {
  return compose(stages(deps), deps.faults);
}
