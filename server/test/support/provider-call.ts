/**
 * Builds what an adapter is given: a request as the edge reads it, and a target.
 */
import type { InferenceRequest, Target } from '../../src/gateway/index.ts';
import { NO_CACHE_CONTROL } from '../../src/gateway/index.ts';
import type { ProviderCall } from '../../src/gateway/ports/provider.ts';
import { type JsonObject, scanObject } from '../../src/kernel/json.ts';
import { type RequestOperation, readRequest } from '../../src/wire/openai/read-request.ts';

/** `body` is the client's body, as text where its layout matters. */
export function providerCall(
  operation: RequestOperation,
  body: JsonObject | string,
  targetModel: string,
): ProviderCall {
  return { request: inferenceRequest(operation, body), target: target(targetModel) };
}

function inferenceRequest(
  operation: RequestOperation,
  body: JsonObject | string,
): InferenceRequest {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const parsed = JSON.parse(bytes.toString()) as JsonObject;
  const scan = scanObject(bytes, 64);
  const read = readRequest(operation, parsed);
  if (scan.kind !== 'members' || read.kind !== 'read') throw new Error('not a valid request');
  return {
    operation,
    dialect: 'openai',
    ...read.facts,
    body: parsed,
    bytes,
    members: scan.members,
    cacheControl: NO_CACHE_CONTROL,
  };
}

function target(model: string): Target {
  return {
    id: `provider/${model}`,
    provider: 'provider',
    model,
    weight: 1,
    price: null,
    maxOutputTokens: null,
    operations: ['chat', 'completion', 'embedding'],
    timeouts: { connectMs: 1_000, firstTokenMs: 1_000, idleMs: 1_000, totalMs: 10_000 },
    retry: { attempts: 1, budgetRatio: 0 },
    breaker: {
      failureThreshold: 5,
      successThreshold: 1,
      openMs: 1_000,
      halfOpenMaxCalls: 1,
      minimumCalls: 5,
    },
    maxConcurrency: 10,
  };
}
