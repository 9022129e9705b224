/**
 * The admit stage: may this request run now? It counts the request, its estimated tokens and
 * its place among the concurrent ones against every scope of the principal, in one step.
 *
 * A body that could not be read is refused here and not earlier, so that sending broken
 * requests is limited like sending good ones, and shows in the ledger. The settle stage gives
 * back what is taken here.
 */

import { expectedTokens } from '../accounting/estimate.ts';
import { limitScopesOf } from '../limits/scopes.ts';
import { GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { LimitDecision, LimitStore } from '../ports/limit-store.ts';
import type { Stage } from './stage.ts';

export interface AdmitSettings {
  /** Most exchanges this process runs at once; more are turned away, not queued. */
  readonly maxInFlight: number;
}

const OVERLOAD_RETRY_MS = 1000;

export function admit(store: LimitStore, settings: AdmitSettings): Stage {
  let inFlight = 0;
  return {
    name: 'admit',
    codes: ['rate_limited', 'concurrency_limited', 'overloaded'],
    wrap: (next) => async (exchange) => {
      if (inFlight >= settings.maxInFlight) {
        throw new GatewayError('overloaded', { retryAfterMs: OVERLOAD_RETRY_MS });
      }
      const lease = await takeLimits(store, exchange);
      inFlight += 1;
      exchange.lease = {
        correctTokens: (tokens) => lease?.correctTokens(tokens),
        release() {
          exchange.lease = null;
          inFlight -= 1;
          lease?.release();
        },
      };
      if (exchange.malformed !== null) throw exchange.malformed;
      return next(exchange);
    },
  };
}

async function takeLimits(store: LimitStore, exchange: Exchange) {
  const { principal } = exchange;
  if (principal === null) return null;
  const scopes = limitScopesOf(principal);
  if (scopes.length === 0) return null;
  const decision = await store.take(scopes, expectedTokens(exchange.request), principal.tenant);
  exchange.requestLimit = decision.state.requests;
  exchange.tokenLimit = decision.state.tokens;
  if (decision.kind === 'granted') return decision.lease;
  throw refusal(decision);
}

function refusal(decision: Extract<LimitDecision, { kind: 'refused' }>): GatewayError {
  const retry = decision.retryAfterMs === null ? {} : { retryAfterMs: decision.retryAfterMs };
  if (decision.reason === 'concurrency') {
    return new GatewayError('concurrency_limited', {
      message: 'Too many requests of this key are running. Wait for one of them to end.',
      retryAfterMs: OVERLOAD_RETRY_MS,
      ...retry,
    });
  }
  return new GatewayError('rate_limited', {
    message: `The limit of ${decision.reason} per minute of this key is used up.`,
    ...retry,
  });
}
