/**
 * Nobody grants more than they hold: what a caller leaves unsaid for a key is taken from the
 * caller's own restrictions; what exceeds them is refused.
 *
 * The same rules serve creation and change. They compare with the caller as it is now; keys
 * made earlier keep what they were given.
 */
import {
  type Budget,
  type BudgetPeriod,
  GatewayError,
  type Limits,
  type Principal,
} from '../gateway/index.ts';

/** What a key may use; undefined where nothing was said. */
export interface Grant {
  readonly models?: readonly string[] | null | undefined;
  readonly limits?: Limits | undefined;
  readonly budget?: Budget | null | undefined;
  readonly expiresAtMs?: number | null | undefined;
}

export interface SettledGrant {
  readonly models: readonly string[] | null;
  readonly limits: Limits;
  readonly budget: Budget | null;
  readonly expiresAtMs: number | null;
}

/** A longer period with the same amount allows less. */
const GENEROSITY: Readonly<Record<BudgetPeriod, number>> = { total: 0, month: 1, day: 2 };

const LIMIT_FIELDS = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
  concurrency: 'concurrency',
} as const satisfies Record<keyof Limits, string>;

/** Completes a grant from the granter's own restrictions, then checks it. */
export function settleGrant(granter: Principal, asked: Grant): SettledGrant {
  const settled: SettledGrant = {
    models: asked.models === undefined ? granter.models : asked.models,
    limits: { ...granter.limits, ...asked.limits },
    budget: asked.budget === undefined ? granter.budget : asked.budget,
    expiresAtMs: asked.expiresAtMs === undefined ? granter.expiresAtMs : asked.expiresAtMs,
  };
  checkGrant(granter, settled);
  return settled;
}

/** Throws `permission_denied` with the field that exceeds what the granter holds. */
export function checkGrant(granter: Principal, grant: Grant): void {
  if (grant.models !== undefined) checkModels(granter.models, grant.models);
  if (grant.limits !== undefined) checkLimits(granter.limits, grant.limits);
  if (grant.budget !== undefined) checkBudget(granter.budget, grant.budget);
  if (grant.expiresAtMs !== undefined) checkExpiry(granter.expiresAtMs, grant.expiresAtMs);
}

function checkModels(held: readonly string[] | null, asked: readonly string[] | null): void {
  if (held === null) return;
  const isWithin = asked?.every((model) => held.includes(model)) ?? false;
  if (!isWithin) throw exceeds('models', 'models that your own key may not use');
}

function checkLimits(held: Limits, asked: Limits): void {
  for (const name of Object.keys(LIMIT_FIELDS) as (keyof Limits)[]) {
    const own = held[name];
    const wanted = asked[name];
    if (own !== undefined && (wanted === undefined || wanted > own)) {
      throw exceeds(`limits.${LIMIT_FIELDS[name]}`, `more than the ${own} of your own key`);
    }
  }
}

function checkBudget(held: Budget | null, asked: Budget | null): void {
  if (held === null) return;
  const isWithin =
    asked !== null &&
    asked.limitNanousd <= held.limitNanousd &&
    (held.soft === true || asked.soft !== true) &&
    GENEROSITY[asked.period] <= GENEROSITY[held.period];
  if (!isWithin) throw exceeds('budget', 'a larger budget than your own key has');
}

function checkExpiry(heldMs: number | null, askedMs: number | null): void {
  if (heldMs !== null && (askedMs === null || askedMs > heldMs)) {
    throw exceeds('expires_at', 'a later end than your own key has');
  }
}

function exceeds(field: string, what: string): GatewayError {
  return new GatewayError('permission_denied', {
    message: `\`${field}\` asks for ${what}; nobody grants more than they hold.`,
    field,
  });
}
