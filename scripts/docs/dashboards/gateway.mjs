/**
 * The dashboard of requests: how many, how long they take, what fails, what providers do.
 */
import { graph, quantile, rate } from './panels.mjs';

/** @type {import('./panels.mjs').Dashboard} */
export const gateway = {
  uid: 'esclusa-gateway',
  title: 'Esclusa: gateway',
  description: 'Requests, how long they take, what fails, and what providers do.',
  panels: [
    graph('Requests to models', 'reqps', {
      '{{model}} {{status}}': rate('esclusa_requests_total', 'model, status'),
    }),
    graph('Share of 5xx', 'percentunit', {
      'all routes':
        `${rate('http_requests_total{status=~"5.."}')} / ` + rate('http_requests_total'),
    }),
    graph(
      'Duration of routes that call no model',
      's',
      Object.fromEntries(
        [0.5, 0.95, 0.99].map((share) => [
          `p${share * 100}`,
          quantile(share, 'http_request_duration_seconds', '', '{endpoint!~"/v1/.*|/v1beta/.*"}'),
        ]),
      ),
    ),
    graph('First token', 's', {
      'p50 {{model}}': quantile(0.5, 'esclusa_first_token_seconds', 'model'),
      'p95 {{model}}': quantile(0.95, 'esclusa_first_token_seconds', 'model'),
    }),
    graph('Added by the gateway', 's', {
      p50: quantile(0.5, 'esclusa_overhead_seconds'),
      p99: quantile(0.99, 'esclusa_overhead_seconds'),
    }),
    graph('In flight and waiting', 'short', {
      'in flight': 'sum(esclusa_requests_in_flight)',
      waiting: 'sum(esclusa_requests_queued)',
    }),
    graph('Errors by code', 'reqps', { '{{code}}': rate('esclusa_errors_total', 'code') }),
    graph('Calls to providers', 'reqps', {
      '{{provider}} {{result}}': rate('esclusa_attempts_total', 'provider, result'),
    }),
    graph('Time of calls (p95)', 's', {
      '{{model}}': quantile(0.95, 'openai_request_duration_seconds', 'model'),
    }),
    graph('Retries and failovers', 'reqps', {
      '{{provider}} {{kind}}': rate('esclusa_retries_total', 'provider, kind'),
    }),
    graph('Breakers (0 closed, 1 open, 2 half-open)', 'short', {
      '{{name}}': 'max by (name) (circuit_breaker_state)',
    }),
    graph('Failures that breakers counted', 'reqps', {
      '{{name}}': rate('circuit_breaker_failures_total', 'name'),
    }),
    graph('Time breakers were open', 'percentunit', {
      '{{name}}': rate('circuit_breaker_open_seconds_total', 'name'),
    }),
    graph('Refused by limits', 'reqps', {
      '{{reason}}': rate('esclusa_limit_refusals_total', 'reason'),
    }),
    graph('CPU of a process', 'percentunit', {
      '{{instance}}': rate('process_cpu_seconds_total', 'instance'),
    }),
    graph('Memory of a process', 'bytes', {
      '{{instance}}': 'max by (instance) (process_resident_memory_bytes)',
    }),
    graph('Delay of the event loop (p99)', 's', {
      '{{instance}}': 'max by (instance) (nodejs_eventloop_lag_seconds{quantile="0.99"})',
    }),
    graph('Log lines by level', 'ops', { '{{level}}': rate('esclusa_log_lines_total', 'level') }),
    graph('Log lines lost', 'reqps', {
      '{{instance}}': rate('esclusa_log_lines_dropped_total', 'instance'),
    }),
  ],
};
