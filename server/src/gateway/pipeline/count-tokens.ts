/**
 * Counting the tokens of a request without running it. A target whose provider counts is asked;
 * for any other the figure is an estimate from the request's bytes, marked as one.
 *
 * The first target that could be called decides: its tokens are the ones that will be paid for.
 */
import type { Answer } from '../model/answer.ts';
import type { CanonicalTokenCount } from '../model/canonical.ts';
import type { Exchange } from '../model/exchange.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Target } from '../model/target.ts';
import { NO_USAGE } from '../model/usage.ts';
import type { AnswerCodecs } from '../ports/codec.ts';
import type { Providers } from '../ports/provider.ts';
import type { RoutePlan } from '../routing/order.ts';
import { inDialect } from './in-dialect.ts';

const BYTES_PER_TOKEN = 4;

export type CountPlan =
  | { readonly kind: 'ask'; readonly targets: readonly Target[] }
  | { readonly kind: 'estimate'; readonly target: Target };

/** Who counts: the targets that can, in their order, unless the first of all cannot. */
export function planCount(plan: RoutePlan, providers: Providers): CountPlan {
  const counts = (target: Target): boolean =>
    providers.get(target.provider)?.adapter.countsTokens === true;
  const [first] = plan.targets;
  if (first !== undefined && !counts(first)) return { kind: 'estimate', target: first };
  return { kind: 'ask', targets: plan.targets.filter(counts) };
}

export function estimatedCount(codecs: AnswerCodecs, exchange: Exchange, target: Target): Answer {
  const { request } = exchange;
  exchange.provider = target.provider;
  exchange.providerModel = target.model;
  exchange.countEstimated = true;
  const body: CanonicalTokenCount = { object: 'token_count', input_tokens: countOf(request) };
  return inDialect(codecs, request, {
    kind: 'plain',
    dialect: 'native',
    contentType: 'application/json',
    bytes: Buffer.alloc(0),
    body: { ...body },
    usage: NO_USAGE,
    finishReasons: [],
  });
}

function countOf({ bytes, contextBytes = 0 }: InferenceRequest): number {
  return Math.ceil((bytes.length + contextBytes) / BYTES_PER_TOKEN);
}
