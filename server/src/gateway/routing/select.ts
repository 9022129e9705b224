/**
 * Which targets of a route may answer a request at all, whatever their state: those that offer
 * the operation, whose conditions hold, whose model can do what is asked, and that a budget can
 * cover. The others are left out, each with its reason, before anything is tried.
 *
 * Invariant: every target of the route is in exactly one of the two lists, in the order of the
 * configuration. Where no target has a price, none is left out for it: that is refused later.
 */
import type { Capability, Target } from '../model/target.ts';
import { unmet } from './conditions.ts';
import type { RequestFacts } from './facts.ts';

export type UnfitReason = 'operation' | 'condition' | 'capability' | 'unpriced';

export interface Unfit {
  readonly target: Target;
  readonly reason: UnfitReason;
  /** The member of the condition, or what the model cannot do; null where the reason says all. */
  readonly detail: string | null;
}

export interface Selection {
  readonly targets: readonly Target[];
  readonly unfit: readonly Unfit[];
}

const NONE: readonly Unfit[] = [];

export function selectTargets(targets: readonly Target[], facts: RequestFacts): Selection {
  const unfit: Unfit[] = [];
  const fit = targets.filter((target) => {
    const found = unfitness(target, facts);
    if (found !== null) unfit.push(found);
    return found === null;
  });
  const selected = facts.isBudgeted ? withPrice(fit, unfit) : fit;
  return selected.length === targets.length
    ? { targets, unfit: NONE }
    : { targets: selected, unfit };
}

function unfitness(target: Target, facts: RequestFacts): Unfit | null {
  const { operation } = facts.request;
  const needed = operation === 'count_tokens' ? 'chat' : operation;
  if (!target.operations.includes(needed)) return { target, reason: 'operation', detail: null };
  if (target.when !== undefined) {
    const member = unmet(target.when, facts);
    if (member !== null) return { target, reason: 'condition', detail: member };
  }
  if (target.capabilities === undefined || operation !== 'chat') return null;
  const lacking = lackingOf(target.capabilities, facts);
  return lacking === null ? null : { target, reason: 'capability', detail: lacking };
}

/** What the request needs that the model is known not to do. */
function lackingOf(known: readonly Capability[], facts: RequestFacts): Capability | null {
  if (!known.includes('tools') && facts.hasTools) return 'tools';
  if (!known.includes('vision') && facts.hasImages) return 'vision';
  return !known.includes('json_schema') && facts.hasJsonSchema ? 'json_schema' : null;
}

function withPrice(fit: readonly Target[], unfit: Unfit[]): readonly Target[] {
  const priced = fit.filter((target) => target.price !== null);
  if (priced.length === 0 || priced.length === fit.length) return fit;
  for (const target of fit) {
    if (target.price === null) unfit.push({ target, reason: 'unpriced', detail: null });
  }
  return priced;
}
