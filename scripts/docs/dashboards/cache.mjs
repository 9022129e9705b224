/**
 * The dashboard of the cache and of Redis.
 */
import { graph, quantile, rate } from './panels.mjs';

/** @type {import('./panels.mjs').Dashboard} */
export const cache = {
  uid: 'esclusa-cache',
  title: 'Esclusa: cache and Redis',
  description: 'What the cache saves, and how Redis does.',
  panels: [
    graph('Answered without a provider', 'percentunit', {
      share:
        `${rate('esclusa_cache_requests_total{result=~"HIT|JOIN|STALE"}')} / ` +
        rate('esclusa_cache_requests_total{result!="BYPASS"}'),
    }),
    graph('Requests by what the cache did', 'reqps', {
      '{{result}}': rate('esclusa_cache_requests_total', 'result'),
    }),
    graph('Tiers', 'ops', {
      '{{tier}} {{result}}': rate('esclusa_cache_operations_total', 'tier, result'),
    }),
    graph('Bytes stored', 'Bps', { '{{form}}': rate('esclusa_cache_stored_bytes_total', 'form') }),
    graph('Redis: operations', 'ops', {
      '{{store}} {{operation}}': rate('redis_operations_total', 'store, operation'),
    }),
    graph('Redis: time (p99)', 's', {
      '{{store}}': quantile(0.99, 'redis_operation_duration_seconds', 'store'),
    }),
    graph('Redis: errors', 'ops', {
      '{{store}} {{error_type}}': rate('redis_errors_total', 'store, error_type'),
    }),
    graph('Redis: available', 'short', { '{{store}}': 'min by (store) (redis_up)' }),
    graph('Limits decided without Redis', 'ops', {
      decisions: rate('esclusa_limits_decided_alone_total'),
    }),
    graph('Redis: memory (redis_exporter)', 'bytes', {
      'used {{instance}}': 'redis_memory_used_bytes',
      'limit {{instance}}': 'redis_memory_max_bytes',
    }),
  ],
};
