/**
 * Every metric there is: name, help, type, labels, buckets, and how the figures of several
 * processes become one.
 *
 * Invariant: a label takes few values. Those that come from outside (`open`) collapse into
 * `other` once a metric has `maxSeries` of them; no label ever holds a tenant, key or user.
 * Times are seconds, money nano-dollars. The `gen_ai_…` names follow OpenTelemetry's
 * conventions for generative AI.
 */
import { EXCHANGE_METRICS } from './metric-rows/exchanges.ts';
import { PROCESS_METRICS } from './metric-rows/process.ts';
import { PROVIDER_METRICS } from './metric-rows/providers.ts';
import { STORE_METRICS } from './metric-rows/stores.ts';

export const METRICS = {
  ...EXCHANGE_METRICS,
  ...PROVIDER_METRICS,
  ...STORE_METRICS,
  ...PROCESS_METRICS,
} as const;

export type MetricKey = keyof typeof METRICS;
