/**
 * The limits of calls as they hold for one provider, or for one model there: time, retries,
 * breaker and concurrency, in the units that the program computes with.
 */
import { type Camel, camel } from './camel.ts';
import { type ModelSettings, type ProviderSettings, sectionFor } from './effective.ts';
import { fileSchema, type Settings } from './schema/file.ts';

const MS_PER_SECOND = 1000;

/** Limits as they hold for one provider or one target. */
export interface CallLimits {
  readonly timeouts: {
    readonly connectMs: number;
    readonly firstTokenMs: number;
    readonly firstTokenRange?: { readonly minMs: number; readonly maxMs: number };
    readonly idleMs: number;
    readonly totalMs: number;
  };
  readonly retry: Camel<Settings['resilience']['retry']>;
  readonly breaker: {
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly openMs: number;
    readonly halfOpenMaxCalls: number;
    readonly minimumCalls: number;
    readonly slowCallMs: number;
    readonly slowCallRate: number;
  };
  /** Calls that may run at this provider at once. */
  readonly maxConcurrency: number;
}

/** Limits of a provider, or of one model there: the breaker belongs to the target itself. */
export function limitsFor(
  settings: Settings,
  provider: ProviderSettings | undefined,
  model: ModelSettings | undefined,
  breakerModel = model,
): CallLimits {
  const shape = fileSchema.shape.resilience.unwrap().shape;
  const breaker = sectionFor(settings, 'breaker', provider, breakerModel);
  return {
    timeouts: timeoutsOf(sectionFor(settings, 'timeouts', provider, model)),
    retry: camel(shape.retry, sectionFor(settings, 'retry', provider, model)),
    breaker: {
      failureThreshold: breaker.failure_threshold,
      successThreshold: breaker.success_threshold,
      openMs: breaker.open_seconds * MS_PER_SECOND,
      halfOpenMaxCalls: breaker.half_open_max_calls,
      minimumCalls: breaker.minimum_calls,
      slowCallMs: breaker.slow_call_ms === 0 ? Number.POSITIVE_INFINITY : breaker.slow_call_ms,
      slowCallRate: breaker.slow_call_rate,
    },
    maxConcurrency: provider?.max_concurrency ?? settings.resilience.max_concurrency,
  };
}

function timeoutsOf(times: Settings['resilience']['timeouts']): CallLimits['timeouts'] {
  const { first_token_ms: firstTokenMs, first_token_min_ms, first_token_max_ms } = times;
  const firstTokenRange = {
    minMs: Math.min(first_token_min_ms, firstTokenMs),
    maxMs: Math.max(first_token_max_ms, firstTokenMs),
  };
  return {
    connectMs: times.connect_ms,
    firstTokenMs,
    ...(times.first_token_adaptive ? { firstTokenRange } : {}),
    idleMs: times.idle_ms,
    totalMs: times.total_ms,
  };
}

/** The model whose breaker settings a target has, whoever calls it. */
export function breakerOwner(
  settings: Settings,
  provider: string,
  model: string,
): ModelSettings | undefined {
  return Object.values(settings.models).find(
    ({ breaker, targets }) =>
      breaker !== undefined &&
      targets.some((target) => target.provider === provider && target.model === model),
  );
}
