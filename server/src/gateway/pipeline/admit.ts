/**
 * The admit stage: may this request run now? It counts the request, its estimated tokens and
 * its place among the concurrent ones against every scope of the principal, in one step; then
 * it passes the gate of this process, where it may have to wait among other tenants. The wait
 * is part of the request's total time.
 *
 * A body that could not be read is refused here and not earlier, so that sending broken
 * requests is limited like sending good ones, and shows in the ledger. The settle stage gives
 * back what is taken here.
 */
import { expectedTokens } from '../accounting/estimate.ts';
import { type FairGate, GateClosed } from '../limits/fair-gate.ts';
import { limitScopesOf, wordsOf } from '../limits/scopes.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { LimitLease } from '../model/holds.ts';
import type { TermsOf } from '../model/terms.ts';
import type { LimitDecision, LimitStore } from '../ports/limit-store.ts';
import type { Stage } from './stage.ts';

export interface AdmitDeps {
  readonly limits: LimitStore;
  readonly gate: FairGate;
  readonly terms: TermsOf;
}

const CONCURRENCY_RETRY_MS = 1000;

export function admit(deps: AdmitDeps): Stage {
  return {
    name: 'admit',
    codes: ['rate_limited', 'concurrency_limited', 'overloaded'],
    wrap: (next) => async (exchange) => {
      const lease = await takeLimits(deps, exchange);
      const leave = await pass(deps.gate, exchange, lease);
      exchange.lease = {
        correctTokens: (tokens) => lease?.correctTokens(tokens),
        release() {
          exchange.lease = null;
          leave();
          lease?.release();
        },
      };
      if (exchange.malformed !== null) throw exchange.malformed;
      return next(exchange);
    },
  };
}

async function takeLimits({ limits, terms }: AdmitDeps, exchange: Exchange) {
  const { principal, request } = exchange;
  if (principal === null) return null;
  const scopes = limitScopesOf(principal, terms(principal.tenant), request.model);
  if (scopes.length === 0) return null;
  const tokens = expectedTokens(request);
  const decision = await limits.take(scopes, tokens, principal.tenant);
  exchange.requestLimit = decision.state.requests;
  exchange.tokenLimit = decision.state.tokens;
  if (decision.kind === 'granted') return decision.lease;
  throw refusal(decision, tokens);
}

/** A request that does not pass gives back its place and its tokens; it was a request, though. */
async function pass(gate: FairGate, exchange: Exchange, lease: LimitLease | null) {
  const tenant = exchange.principal?.tenant ?? '';
  try {
    return await gate.enter(tenant, exchange.abort.signal);
  } catch (thrown) {
    lease?.correctTokens(0);
    lease?.release();
    throw thrown instanceof GateClosed ? overloaded(thrown) : thrown;
  }
}

function overloaded({ reason, retryAfterMs }: GateClosed): GatewayError {
  const why =
    reason === 'line_full'
      ? 'as many of this tenant wait as may (http.max_queued_per_tenant, http.max_queued)'
      : 'this one waited as long as it may (http.max_queue_wait_ms)';
  return new GatewayError('overloaded', {
    message: `This process runs as many requests as it may (http.max_in_flight), and ${why}.`,
    retryAfterMs,
  });
}

function refusal(
  decision: Extract<LimitDecision, { kind: 'refused' }>,
  tokens: number,
): GatewayError {
  const retry = decision.retryAfterMs === null ? {} : { retryAfterMs: decision.retryAfterMs };
  const whose = wordsOf(decision.scope);
  if (decision.reason === 'concurrency') {
    return new GatewayError('concurrency_limited', {
      message: `Too many requests of ${whose} are running. Wait for one of them to end.`,
      retryAfterMs: CONCURRENCY_RETRY_MS,
      ...retry,
    });
  }
  if (decision.retryAfterMs === null && decision.reason === 'tokens') {
    const advice = 'Send less, or lower `max_tokens`.';
    return new GatewayError('rate_limited', {
      message: `It counts as ${tokens} tokens, more than ${whose} may use in a minute. ${advice}`,
      retryable: false,
    });
  }
  return new GatewayError('rate_limited', {
    message: `The limit of ${decision.reason} per minute of ${whose} is used up.`,
    ...retry,
  });
}
