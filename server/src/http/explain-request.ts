/**
 * Explaining a request that is given as JSON: reads it as the OpenAI dialect would, with all
 * that may be left out filled in, and puts the explanation in the shape of the wire. The
 * control plane and the command line say the same by it.
 */
import type { RouteExplanation } from '@esclusa/contracts';
import {
  type CacheControl,
  type Explain,
  type ExplainedRejection,
  type ExplainedTarget,
  type Explanation,
  GatewayError,
  type Principal,
} from '../gateway/index.ts';
import { type KeyUseCases, principalOfRecord } from '../identity/index.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { RequestOperation } from '../wire/openai/read-request.ts';
import { takeCacheMember } from './cache-member.ts';
import { decodeOpenai } from './openai/endpoint.ts';

export interface ExplainAsker {
  readonly principal: Principal;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly cacheControl: CacheControl;
  readonly live: boolean;
}

/** `body` is a request in OpenAI's shape; throws `invalid_request` for one that is none. */
export function explainRequest(
  explain: Explain,
  body: JsonObject,
  { principal, headers, cacheControl, live }: ExplainAsker,
): RouteExplanation {
  const whole = completed(body);
  const bytes = Buffer.from(JSON.stringify(whole));
  const taken = takeCacheMember({ body: whole, bytes, members: [] }, cacheControl);
  const request = decodeOpenai(operationOf(whole), taken.parsed, taken.cacheControl);
  const explanation = explain({ request, principal, headers });
  return {
    model: request.model,
    tenant: principal.tenant,
    key_id: principal.keyId,
    config_generation: explanation.generation,
    live,
    refusal: refusalToWire(explanation.refusal),
    route: routeToWire(explanation),
    input_tokens: explanation.inputTokens,
    output_tokens: explanation.outputTokens,
    reserve_nanousd: explanation.reserveNanousd,
    targets: explanation.targets.map(targetToWire),
    rejected: explanation.rejected.map(rejectionToWire),
    cache: cacheToWire(explanation),
  };
}

/** Who calls with a key; throws `not_found`, `conflict` and `invalid_request`. */
export async function principalOfKey(
  keys: Pick<KeyUseCases, 'get'>,
  actor: Principal,
  keyId: string,
  tenant: string | undefined,
): Promise<Principal> {
  const record = await keys.get(actor, keyId);
  if (record.revokedAtMs !== null) {
    throw new GatewayError('conflict', {
      message: 'The key is revoked: nothing is answered for it.',
      field: 'key_id',
    });
  }
  if (tenant !== undefined && tenant !== record.tenant) {
    throw new GatewayError('invalid_request', {
      message: 'The key in `key_id` is of another tenant than the one in `tenant`.',
      field: 'tenant',
    });
  }
  return principalOfRecord(record);
}

function operationOf(body: JsonObject): RequestOperation {
  if (body.messages !== undefined) return 'chat';
  return body.input === undefined ? 'completion' : 'embedding';
}

/** A name alone is asked for as a chat with nothing in it. */
function completed(body: JsonObject): JsonObject {
  const { messages, prompt, input } = body;
  const isBare = messages === undefined && prompt === undefined && input === undefined;
  return isBare ? { ...body, messages: [{ role: 'user', content: '' }] } : body;
}

function refusalToWire(refusal: GatewayError | null): RouteExplanation['refusal'] {
  if (refusal === null) return null;
  const { code, status, message, retryAfterMs } = refusal;
  return { code, status, message, retry_after_ms: retryAfterMs ?? null };
}

function routeToWire({ route, stickyValue }: Explanation): RouteExplanation['route'] {
  if (route === null) return null;
  const { name, strategy, sticky, arm = null, prompt } = route;
  const label = sticky && ('name' in sticky ? `${sticky.kind}.${sticky.name}` : sticky.kind);
  const told = { name, strategy, sticky: label ?? null, sticky_value: stickyValue };
  return { ...told, arm, prompt: prompt?.id ?? null };
}

function targetToWire(explained: ExplainedTarget): RouteExplanation['targets'][number] {
  const { id, provider, model, weight, price, timeouts } = explained.target;
  return {
    ...{ id, provider, model, weight, reason: explained.reason },
    expected_nanousd: explained.expectedNanousd,
    upper_bound_nanousd: explained.upperBoundNanousd,
    price_id: price?.id ?? null,
    expected_ms: explained.expectedMs === null ? null : rounded(explained.expectedMs),
    waiting: explained.waiting,
    load: explained.load,
    timeouts: {
      connect_ms: timeouts.connectMs,
      first_token_ms: timeouts.firstTokenMs,
      idle_ms: timeouts.idleMs,
      total_ms: timeouts.totalMs,
    },
  };
}

function rejectionToWire(one: ExplainedRejection): RouteExplanation['rejected'][number] {
  const { id, provider, model } = one.target;
  const { reason, detail, retryAfterMs } = one;
  return { id, provider, model, reason, detail, retry_after_ms: retryAfterMs };
}

function cacheToWire({ cache }: Explanation): RouteExplanation['cache'] {
  if (cache === null) return null;
  const { plan, policy, key } = cache;
  return {
    usable: plan.kind === 'use',
    detail: plan.kind === 'use' ? null : plan.detail,
    lookup: plan.kind === 'use' && plan.lookup,
    key,
    ttl_seconds: policy.ttlSeconds,
    stale_if_error_seconds: policy.staleIfErrorSeconds,
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
